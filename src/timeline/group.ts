// Makes a timeline readable: what only looked or reported is counted between the things that happened.
import type { LedgerRecord } from '../contract/record.ts';
import type { TimelineEntry } from './timeline.ts';

/** One line of the readable form: an entry, or `count` alike requests that began with `entry` and ended at `until`. */
export interface TimelineLine {
  readonly entry: TimelineEntry;
  readonly count: number;
  readonly until: string;
}

/**
 * Chatter (reads, logs and heartbeats that succeeded) between two happenings becomes one line for each principal, address,
 * action, status and binding, where its first request was. Nothing else is ever folded: not a change, not a refusal, not a failure.
 */
export function groupChatter(entries: readonly TimelineEntry[]): readonly TimelineLine[] {
  const lines: { entry: TimelineEntry; count: number; until: string }[] = [];
  let open = new Map<string, number>();
  for (const entry of entries) {
    const key = chatterKey(entry);
    const line = key === undefined ? undefined : lines[open.get(key) ?? -1];
    if (line !== undefined) {
      line.count += 1;
      line.until = entry.time;
      continue;
    }
    if (key === undefined) open = new Map();
    else open.set(key, lines.length);
    lines.push({ entry, count: 1, until: entry.time });
  }
  return lines;
}

function chatterKey(entry: TimelineEntry): string | undefined {
  if (entry.kind !== 'request' || !isChatter(entry.record)) return undefined;
  const { principal, source_ip, action, status, run_binding } = entry.record;
  return JSON.stringify([principal, source_ip, action, status, run_binding]);
}

/** What decides by its body is mediated; so a direct request changes at most what the run reports about itself. */
function isChatter({ path_taken, method, status }: LedgerRecord): boolean {
  const looked = path_taken === 'direct' || method === 'GET' || method === 'HEAD';
  return looked && path_taken !== 'relay' && status !== null && status < 400;
}
