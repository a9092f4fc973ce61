import { Link } from '@tanstack/react-router';
import { kindWords } from '../../parts/record-words.ts';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import type { ChangeGroup, Simulation } from './shapes.ts';
import { CHANGES, countOf, effectSentence, limitsOf, number } from './simulation.ts';

interface EffectResultProps {
  readonly simulation: Simulation;
  /** `last 7 days`. */
  readonly period: string;
}

/** First the answer in one sentence, then each request. */
export function EffectResult({ simulation, period }: EffectResultProps) {
  return (
    <div className="policies-result">
      <p className="policies-answer" role="status">
        <UntrustedText text={effectSentence(simulation)} longest={400} />
      </p>
      <p className="policies-basis">
        Your draft, against the recorded decisions of the {period}
        {simulation.ledger_from !== null && (
          <>
            . The ledger begins later, at <Time iso={simulation.ledger_from} />
          </>
        )}
        :
      </p>
      <Numbers simulation={simulation} />
      {CHANGES.map(({ change, title, tone }) => (
        <Groups key={change} title={title} tone={tone} groups={simulation.changes.filter((group) => group.change === change)} />
      ))}
      <Limits simulation={simulation} />
    </div>
  );
}

export function Numbers({ simulation }: { readonly simulation: Simulation }) {
  return (
    <dl className="policies-numbers">
      {CHANGES.map(({ change, title, tone }) => (
        <div key={change} className={countOf(simulation, change) > 0 ? tone : undefined}>
          <dt>{title}</dt>
          <dd>{number(countOf(simulation, change))}</dd>
        </div>
      ))}
      <div>
        <dt>Stay</dt>
        <dd>{number(countOf(simulation, 'same'))}</dd>
      </div>
      <div>
        <dt>Not by a policy</dt>
        <dd>{number(countOf(simulation, 'not-by-policy'))}</dd>
      </div>
      <div>
        <dt>Cannot be replayed</dt>
        <dd>{number(countOf(simulation, 'unlike-then') + countOf(simulation, 'principal-unknown'))}</dd>
      </div>
      <div>
        <dt>All records</dt>
        <dd>{number(simulation.records)}</dd>
      </div>
    </dl>
  );
}

function Groups({ title, tone, groups }: { readonly title: string; readonly tone: string; readonly groups: readonly ChangeGroup[] }) {
  if (groups.length === 0) return null;
  return (
    <section className={`policies-groups ${tone}`}>
      <h2>{title}</h2>
      <ul>
        {groups.map((group) => (
          <Group key={JSON.stringify([group.principal, group.action, group.resource_type, group.policies, group.right])} group={group} />
        ))}
      </ul>
    </section>
  );
}

function Group({ group }: { readonly group: ChangeGroup }) {
  const { principal, roles, action, resource_type, policies, right, count } = group;
  return (
    <li>
      <details>
        <summary>
          <span className="policies-count">{number(count)}</span>
          <span className="policies-who">
            <UntrustedText text={principal} /> <span className="muted">({roles.length === 0 ? 'no role' : roles.join(', ')})</span>
          </span>
          <span className="policies-what">
            {action} on {resource_type}
            {right !== null && `, if the body asked for ${right}`}
          </span>
          <span className="policies-by">{policies.length === 0 ? 'by no policy' : `by ${policies.join(', ')}`}</span>
        </summary>
        <Requests group={group} />
      </details>
    </li>
  );
}

function Requests({ group: { requests, samples, count, resource_type } }: { readonly group: ChangeGroup }) {
  return (
    <div className="policies-requests">
      <ul>
        {samples.map((sample) => (
          <Sample key={sample.request_id} sample={sample} kind={kindWords(resource_type)} />
        ))}
        {requests.slice(samples.length).map((id) => (
          <li key={id}>
            <Link to="/search" search={{ q: `request:${id}` }}>
              <UntrustedText text={id} />
            </Link>
          </li>
        ))}
      </ul>
      {requests.length < count && <p>The first {number(requests.length)} are listed. lictor simulate --json has all of them.</p>}
    </div>
  );
}

interface SampleProps {
  readonly sample: ChangeGroup['samples'][number];
  /** Of its object. */
  readonly kind: string;
}

function Sample({ sample: { request_id: id, time, resource_id: object, flow_run_id: run, status }, kind }: SampleProps) {
  return (
    <li>
      <Link to="/search" search={{ q: `request:${id}` }}>
        <Time iso={time} isExact />
      </Link>{' '}
      {status !== null && <>answered {status} </>}
      {object !== null && object !== run && (
        <>
          {kind} <UntrustedText text={object} longest={80} />{' '}
        </>
      )}
      {run !== null && (
        <Link to="/runs/{-$id}" params={{ id: run }}>
          run {run}
        </Link>
      )}
    </li>
  );
}

function Limits({ simulation }: { readonly simulation: Simulation }) {
  return (
    <ul className="policies-limits">
      {limitsOf(simulation).map((sentence) => (
        <li key={sentence}>
          <UntrustedText text={sentence} />
        </li>
      ))}
      <li>
        A principal that loses a right without having used it in this time has no record, and is not listed here. Look for it in{' '}
        <Link to="/access" search={{ tab: 'unused' }}>
          Unused rights
        </Link>
        , and check it with a decision vector beside the draft, or in <Link to="/access">Access</Link> after you apply the draft.
      </li>
      <li>
        Logins, events and reads without a right are not decided by a policy. The simulation uses the roles of today. A record has the id of the object, but not
        its tags and names, what the request sent (its body), or how its credential was sent. A decision that depends on these is listed as “may change”.
      </li>
    </ul>
  );
}
