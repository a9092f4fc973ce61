import { useUrlState } from '../../app/url-state.ts';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { EffectResult } from './effect-result.tsx';
import type { Shown } from './shown.ts';
import { number } from './simulation.ts';

const PERIODS = [
  ['24h', 'last 24 hours'],
  ['7d', 'last 7 days'],
  ['30d', 'last 30 days'],
] as const;

/** What the draft would have changed in recorded decisions. */
export function EffectTab(shown: Shown) {
  const { simulation, draft } = shown;
  const [since, setSince] = useUrlState('since', '7d');
  const { state } = simulation;
  return (
    <section className="policies-effect" aria-label="Effect before applying">
      <div className="policies-effect-form">
        <label>
          Recorded decisions of the
          <select className="input" value={since} onChange={({ target }) => setSince(target.value)}>
            {PERIODS.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <StartOrStop shown={shown} since={since} />
      </div>
      {state.status === 'none' && <Explanation hasDraft={draft.draft !== undefined} />}
      {state.status === 'running' && <Running records={state.progress.records} fraction={state.progress.fraction} />}
      {state.status === 'failed' && <ErrorNotice error={state.problem} />}
      {state.status === 'done' && (
        <EffectResult simulation={state.simulation} isOld={state.since !== since || JSON.stringify(state.files) !== JSON.stringify(draft.files)} />
      )}
    </section>
  );
}

function StartOrStop({ shown: { simulation, draft, report }, since }: { readonly shown: Shown; readonly since: string }) {
  if (simulation.state.status === 'running')
    return (
      <button type="button" className="button" onClick={simulation.stop}>
        Stop
      </button>
    );
  // Failing vectors do not prevent a simulation. A policy that cannot be read does.
  const isBroken = report !== undefined && report.problems.length > 0 && report.vectors.length === 0;
  return (
    <>
      <button
        type="button"
        className="button primary"
        aria-disabled={isBroken}
        aria-describedby={isBroken ? 'policies-broken' : undefined}
        onClick={() => isBroken || simulation.start(draft.files, since)}
      >
        {simulation.state.status === 'none' ? 'Simulate' : 'Simulate again'}
      </button>
      {isBroken && <p id="policies-broken">Correct the problems of the draft first.</p>}
    </>
  );
}

function Explanation({ hasDraft }: { readonly hasDraft: boolean }) {
  return (
    <p className="policies-explanation">
      {hasDraft ? 'Lictor decides the recorded requests again with this draft' : 'Lictor decides the recorded requests again with the policies in force'}, and
      lists each one whose decision would be another one: by principal and action, with the requests. It changes nothing.
    </p>
  );
}

function Running({ records, fraction }: { readonly records: number; readonly fraction: number }) {
  return (
    <div className="policies-running">
      <progress max={1} value={fraction} aria-label="Simulation" />
      <p role="status">{records === 0 ? 'Starting …' : `${number(records)} records replayed, ${Math.round(fraction * 100)} % of the time.`}</p>
    </div>
  );
}
