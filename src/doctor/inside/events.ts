// Whether the events of Prefect arrive in the ledger.
import { readEventsMark } from '../../ledger/prefect-events/read-events.ts';
import { behindMs } from '../../timeline/feed/behind.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

const LATE_MS = 60_000;

/** Reads only. For a gateway that runs. */
export function checkEvents(ledgerFile: string, nowMs: number): Verdict {
  const mark = readEventsMark(ledgerFile);
  if (mark === undefined) return warn('events: none of Prefect was asked for yet', 'Try again in some seconds. If it stays, STATE/log/control.log says why.');
  const late = behindMs(mark, nowMs);
  const behind = `events: ${Math.round(late / 1000)} s behind`;
  if (late > LATE_MS)
    return fail(
      `${behind}${mark.problem === null ? '' : `: ${mark.problem}`}`,
      'Nothing is lost while Prefect keeps its events (a week, as it comes): mend what else is named here, Prefect first; control.log has a line of it.',
    );
  if (mark.streams < mark.servers)
    return warn(
      `${behind}, without a stream from ${mark.servers - mark.streams} of ${mark.servers} servers`,
      'They are asked for instead, and come some seconds later. Is a server away, or does something before Prefect let no socket through (/api/events/out)?',
    );
  return ok(`${behind}, ${mark.streams === 1 ? 'a stream is' : `${mark.streams} streams are`} open`);
}
