// Events of Prefect in an export: one line each, before the record with their number and digest.
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { PrefectEvent } from '../../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { EVENTS_STORED, parseStoredEvents } from '../events.ts';
import { createBatchRows } from '../prefect-events/batch-rows.ts';
import { createEventDigest, eventOfRow, eventValues, rowOf } from '../prefect-events/table.ts';
import type { EventEvidence } from './evidence.ts';

const words = z.string().nullable();
const eventLine = z.strictObject({
  prefect_event: z.strictObject({
    ...{ id: z.string(), occurred: z.string(), received: words, event: z.string(), resource_id: z.string(), resource_name: words },
    ...{ state_type: words, state_name: words, flow_run_id: words, task_run_id: words, deployment_id: words, parent_task_run_id: words, follows: words },
    related: z.array(z.strictObject({ id: z.string(), role: z.string(), name: words })),
  }),
});
export type EventLine = z.infer<typeof eventLine>;

/** Undefined: the value is not exactly an event. */
export function parseEventLine(value: unknown): EventLine | undefined {
  const parsed = eventLine.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** The events that a record covers, in their order. */
export function eventLinesOf(db: DatabaseSync): (record: LedgerRecord) => Iterable<EventLine> {
  const rowsOf = createBatchRows(db);
  return function* linesOf(record) {
    // A changed row is exported as it is: the digest shows the change.
    for (const row of rowsOf(record)) yield { prefect_event: eventOfRow(row) as EventLine['prefect_event'] };
  };
}

export interface FileEvents {
  /** In the order of the lines. */
  event(line: EventLine): void;
  /** Called before a record is verified. */
  record(record: LedgerRecord): void;
  readonly evidence: EventEvidence;
}

/** `declared`: the signed end says that the file has the events. */
export function createFileEvents(declared: boolean): FileEvents {
  const stray: string[] = [];
  let open = { digest: createEventDigest(), count: 0 };
  let here = open;
  return {
    event({ prefect_event: event }) {
      open.digest.add(rowOf(eventValues(event satisfies PrefectEvent)));
      open.count += 1;
    },
    record({ action, seq, node }) {
      here = open;
      if (here.count > 0) open = { digest: createEventDigest(), count: 0 };
      if (here.count > 0 && action !== EVENTS_STORED) stray.push(`${here.count} events of Prefect before record ${seq} of ${node} were added: it covers none`);
    },
    evidence: {
      carried: declared,
      check(record) {
        const stored = parseStoredEvents(record);
        if (stored === undefined || (!declared && here.count === 0)) return undefined;
        if (!declared) return { kind: 'inserted', message: `${here.count} events of Prefect are in a file that was exported without them` };
        const which = `events of Prefect, which record ${record.seq} of ${record.node} (${record.time}) covers`;
        if (here.count < stored.count) return { kind: 'removed', message: `${stored.count - here.count} of the ${stored.count} ${which}, are gone` };
        if (here.count > stored.count) return { kind: 'inserted', message: `${here.count - stored.count} too many are among the ${which}` };
        return here.digest.hex() === stored.sha256 ? undefined : { kind: 'edited', message: `the ${which}, were edited: they do not fit its digest` };
      },
      uncovered: () => (open.count > 0 ? [...stray, `${open.count} events of Prefect at the end were added: no record covers them`] : stray),
    },
  };
}
