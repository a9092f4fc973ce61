import type { ReactNode } from 'react';
import { ageSeconds, bytes, cachedShare, milliseconds, percent, rate, ratePerSecond, short } from './numbers.ts';
import type { Health } from './queries.ts';

interface TileProps {
  readonly title: string;
  readonly value: string;
  readonly more: ReactNode;
  readonly tone?: 'plain' | 'warn' | 'bad';
}

function Tile({ title, value, more, tone = 'plain' }: TileProps) {
  return (
    <div className={`card tile ${tone}`}>
      <dt>{title}</dt>
      <dd>
        <strong>{value}</strong>
        <span className="muted">{more}</span>
      </dd>
    </div>
  );
}

const LAGGING_BYTES = 5_000_000;

/** `first`: the counters when the view was opened. */
export function Tiles({ health: { edge, ledger }, first }: { readonly health: Health; readonly first: Health['edge'] }) {
  const share = cachedShare(first, edge);
  const age = ageSeconds(ledger.newest_at, Date.now());
  return (
    <dl className="tiles">
      <Tile title="Requests" value={rate(ratePerSecond(edge.points, edge.interval_seconds))} more={`${short(edge.requests)} in 15 minutes`} />
      <Tile title="Denied" value={percent(edge.denied, edge.requests)} more={`${short(edge.denied)} requests`} />
      <Tile
        title="Failed"
        value={percent(edge.failed, edge.requests)}
        more={`${short(edge.failed)} answers with 5xx`}
        tone={edge.failed > 0 ? 'warn' : 'plain'}
      />
      <Tile title="Decision" value={milliseconds(edge.decision_p50_ms)} more={decisionWords(edge, share)} />
      <Tile
        title="Ingest lag"
        value={ledger.healthy ? bytes(ledger.unread_bytes) : 'not written'}
        more={ledger.healthy ? (age === null ? 'no record yet' : `newest record ${age} s ago`) : 'changes are refused'}
        tone={ledger.healthy ? ((ledger.unread_bytes ?? 0) > LAGGING_BYTES ? 'warn' : 'plain') : 'bad'}
      />
    </dl>
  );
}

function decisionWords({ decision_p95_ms: p95 }: Health['edge'], share: number | null): string {
  if (share !== null) return `${Math.round(share * 100)} % from the cache`;
  return p95 === null ? 'measured while this page is open' : `95 % within ${milliseconds(p95)}`;
}
