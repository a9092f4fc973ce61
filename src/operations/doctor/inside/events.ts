// Whether the events of Prefect arrive in the ledger.
import type { Config } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { EventsMark } from '../../../contract/prefect-event.ts';
import { readEventsMark } from '../../../record/ledger/prefect-events/read-events.ts';
import { behindMs } from '../../../record/timeline/feed/behind.ts';
import { readRows } from '../../../store/rows.ts';
import { waitFor } from '../../supervise/processes/wait-for.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

const LATE_MS = 60_000;
/** After a start or a reload, a gateway opens its streams and fetches missed events within seconds. */
const OPENING_MS = 12_000;

export interface EventsSubject {
  readonly ledgerFile: string;
  readonly clock: Clock;
  /** Which node subscribes to the events. Null: this one does. */
  readonly subscriber: string | null;
  /** Called once, when the check waits. */
  readonly onProgress: (line: string) => void;
  readonly openingMs?: number;
}

/** Reads only. For a running gateway. Looks again for up to 12 s at a state that may be temporary. */
export async function checkEvents({ ledgerFile, clock, subscriber, onProgress, openingMs = OPENING_MS }: EventsSubject): Promise<Verdict> {
  if (subscriber !== null) return ok(`events: the node ${subscriber} fetches them for all nodes; lictor doctor there says how far`);
  const look = (): Look => verdictOn(readEventsMark(ledgerFile), clock());
  let last = look();
  if (!last.mayPass) return last.verdict;
  onProgress(`waiting for the events of Prefect to arrive, for up to ${openingMs / 1000} s ...`);
  const settled = (): boolean => {
    last = look();
    return !last.mayPass;
  };
  await waitFor(settled, { what: 'the streams of events to open', timeoutMs: openingMs, everyMs: 200 }).catch(() => undefined); // The last look says it.
  return last.verdict;
}

interface Look {
  readonly verdict: Verdict;
  /** Nothing is known to be wrong: this is normal for a moment after a start. */
  readonly mayPass: boolean;
}

/** The holder of the duty, if it is another node of a Postgres store. */
export async function subscriberOf({ storeAt, node }: Pick<Config, 'storeAt' | 'node'>): Promise<string | null> {
  if (typeof storeAt === 'string') return null;
  const [duty] = await readRows(storeAt, 'SELECT holder FROM duties WHERE name = ?', 'events');
  return duty === undefined || duty['holder'] === node ? null : String(duty['holder']);
}

function verdictOn(mark: EventsMark | undefined, nowMs: number): Look {
  const verdict = verdictOf(mark, nowMs);
  return { verdict, mayPass: verdict.status !== 'ok' && (mark?.problem ?? null) === null };
}

function verdictOf(mark: EventsMark | undefined, nowMs: number): Verdict {
  if (mark === undefined)
    return warn('events: the gateway has fetched none from Prefect yet', 'Try again in some seconds. If the warning stays, STATE/log/control.log says why.');
  const late = behindMs(mark, nowMs);
  const behind = `events: ${Math.round(late / 1000)} s behind`;
  if (late > LATE_MS)
    return fail(
      `${behind}${mark.problem === null ? '' : `: ${mark.problem}`}`,
      'Prefect stores its events for a week by default, and the gateway fetches them later. Fix the other problems first, above all those of Prefect. control.log has a line about it.',
    );
  if (mark.streams < mark.servers)
    return warn(
      `${behind}, without a stream from ${mark.servers - mark.streams} of ${mark.servers} servers`,
      'The gateway fetches their events some seconds later. Check that each server runs, and that no proxy before it blocks the socket /api/events/out.',
    );
  return ok(`${behind}, ${mark.streams === 1 ? 'a stream is' : `${mark.streams} streams are`} open`);
}
