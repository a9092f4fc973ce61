// Server-sent events that go on until their reader leaves, loses the right, or the configuration is replaced.
import { setTimeout as wait } from 'node:timers/promises';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { RouteParts } from '../parts.ts';

const LOOK_MS = 250;
/** A revocation holds after this time. */
const RECHECK_MS = 2_000;
const HEARTBEAT_MS = 15_000;

export interface Live {
  /** The events since the last call, as text; empty: none. Undefined: it cannot go on, and the reader connects again. */
  readonly look: () => Promise<string | undefined>;
  /** Why the reader has lost its right; null: it has not. */
  readonly recheck: () => Promise<ReasonCode | null>;
  /** Between two looks without events. Left out: 250 ms. */
  readonly everyMs?: number;
}

export async function* liveEvents(
  { steady, retired }: Pick<RouteParts, 'steady' | 'retired'>,
  { look, recheck, everyMs = LOOK_MS }: Live,
): AsyncGenerator<string> {
  let [checkedAt, sentAt] = [steady(), steady()];
  yield 'retry: 2000\n\n';
  while (!retired.aborted) {
    const text = await look();
    if (text === undefined) return;
    if (text !== '') yield text;
    if (text !== '') sentAt = steady();
    else await wait(everyMs, undefined, { signal: retired }).catch(() => undefined);
    if (steady() - sentAt >= HEARTBEAT_MS) {
      yield ': alive\n\n';
      sentAt = steady();
    }
    if (steady() - checkedAt >= RECHECK_MS) {
      const reason = await recheck();
      if (reason !== null) return yield `event: end\ndata: ${JSON.stringify({ code: reason })}\n\n`;
      checkedAt = steady();
    }
  }
}
