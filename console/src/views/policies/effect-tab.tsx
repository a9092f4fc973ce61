import { useEffect } from 'react';
import { useUrlState } from '../../app/url-state.ts';
import { Button } from '../../parts/button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { SelectField } from '../../parts/fields.tsx';
import { DraftSummary } from './draft-summary.tsx';
import { EffectResult } from './effect-result.tsx';
import { PasteForm } from './paste-form.tsx';
import { ProblemList } from './problem-list.tsx';
import type { Shown } from './shown.ts';
import { number, questionOf } from './simulation.ts';

const PERIODS = [
  { value: '24h', text: 'last 24 hours' },
  { value: '7d', text: 'last 7 days' },
  { value: '30d', text: 'last 30 days' },
] as const;

/** What the draft would have changed in recorded decisions. It is simulated at once, because a person who opens this asks for it. */
export function EffectTab(shown: Shown) {
  const { draft, report } = shown;
  const [since] = useUrlState('since', '7d');
  const isBroken = isUnreadable(report);
  useStart(shown, since, draft.draft !== undefined && report !== undefined && !shown.isChecking && !isBroken);
  if (draft.draft === undefined) return <PasteForm draft={draft} />;
  return (
    <section className="policies-effect" aria-label="Effect before applying">
      <DraftSummary {...shown} />
      {isBroken ? <ProblemList report={report} isChecking={shown.isChecking} /> : <Answer shown={shown} since={since} />}
    </section>
  );
}

/** Failing vectors do not prevent a simulation. A policy that cannot be read does. */
function isUnreadable(report: Shown['report']): boolean {
  return report !== undefined && report.problems.length > 0 && report.vectors.length === 0;
}

function useStart({ draft: { files }, simulation }: Shown, since: string, isReady: boolean): void {
  const question = questionOf(files, since);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new question starts it, and a person who stopped it does not get it again
  useEffect(() => {
    if (isReady && (simulation.state.status === 'none' || simulation.state.question !== question)) simulation.start(files, since);
  }, [question, isReady]);
}

function Answer({ shown, since }: { readonly shown: Shown; readonly since: string }) {
  const { state } = shown.simulation;
  const isOfThis = state.status !== 'none' && state.question === questionOf(shown.draft.files, since);
  const period = PERIODS.find(({ value }) => value === since)?.text ?? since;
  return (
    <>
      {isOfThis && state.status === 'done' && <EffectResult simulation={state.simulation} period={period} />}
      {isOfThis && state.status === 'running' && <Running records={state.progress.records} fraction={state.progress.fraction} />}
      {isOfThis && state.status === 'failed' && <ErrorNotice error={state.problem} />}
      {shown.isChecking && <p role="status">The gateway checks the draft …</p>}
      <Period shown={shown} since={since} />
    </>
  );
}

function Period({ shown: { simulation, draft }, since }: { readonly shown: Shown; readonly since: string }) {
  const [, setSince] = useUrlState('since', '7d');
  const isRunning = simulation.state.status === 'running';
  return (
    <div className="policies-effect-form">
      <SelectField label="Recorded decisions of the" value={since} onChange={setSince} options={PERIODS} />
      <Button onPress={isRunning ? simulation.stop : () => simulation.start(draft.files, since)}>{isRunning ? 'Stop' : 'Simulate again'}</Button>
    </div>
  );
}

function Running({ records, fraction }: { readonly records: number; readonly fraction: number }) {
  return (
    <div className="policies-running">
      <progress max={1} value={fraction} aria-label="Simulation" />
      <p role="status">
        {records === 0
          ? 'The gateway replays the recorded decisions. The result follows, for many records with a count on the way …'
          : `Still counting: ${number(records)} records replayed, ${Math.round(fraction * 100)} % of the time.`}
      </p>
    </div>
  );
}
