import { Link } from '@tanstack/react-router';
import { segment } from '../../app/own-path.ts';
import { Tag } from '../../parts/tag.tsx';
import { Time } from '../../parts/time.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { isNew, type Seen, type SeenRun, type SeenWorker, type Step } from './steps.ts';

const MOST = 5;

/** What has come of a step. */
export function Found({ name, seen }: { readonly name: Step['name']; readonly seen: Seen }) {
  if (name === 'worker' && seen.workers !== null) return <Workers workers={seen.workers} />;
  if (name === 'run' && seen.runs !== null && seen.runs.length > 0) return <Runs runs={seen.runs} />;
  return null;
}

function Workers({ workers }: { readonly workers: readonly SeenWorker[] }) {
  if (workers.length === 0) return <p className="muted waiting">A worker shows up here as soon as it connects.</p>;
  return (
    <ul className="found">
      {workers.slice(0, MOST).map(({ name, pool, principal, last_seen_at: at }) => (
        <li key={`${principal} ${pool} ${name}`}>
          <span>
            <strong>{name === null ? 'A worker' : <UntrustedText text={name} longest={60} />}</strong> of pool <UntrustedText text={pool} longest={60} />, as{' '}
            <UntrustedText text={principal} longest={60} />
          </span>
          <span className="muted">
            seen <Time iso={at} relative />
          </span>
          {isNew(at, Date.now()) && <Tag tone="good">connected</Tag>}
        </li>
      ))}
    </ul>
  );
}

function Runs({ runs }: { readonly runs: readonly SeenRun[] }) {
  return (
    <ul className="found">
      {runs.slice(0, MOST).map(({ id, name, deployment, state, seen_at: at }) => (
        <li key={id}>
          <Link to={`/runs/${segment(id)}`}>
            <UntrustedText text={name ?? id} longest={60} />
          </Link>
          {deployment !== null && (
            <span className="muted">
              of <UntrustedText text={deployment} longest={60} />
            </span>
          )}
          {state !== null && <span>{state}</span>}
          <span className="muted">
            <Time iso={at} relative />
          </span>
        </li>
      ))}
    </ul>
  );
}
