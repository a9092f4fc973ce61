// What the gateway tells Prefect about a run, as an event of its own (prefect/server/events/schemas/events.py).
import type { NewRecord } from '../../contract/record.ts';
import { stableId } from '../../ledger/append.ts';
import { createsRun } from '../../ledger/notable.ts';

export interface Announcement {
  readonly id: string;
  readonly occurred: string;
  readonly event: 'lictor.run.started-by' | 'lictor.request.refused';
  readonly resource: Readonly<Record<string, string>>;
  readonly related: readonly Readonly<Record<string, string>>[];
  readonly payload: Readonly<Record<string, string | number | readonly string[]>>;
}

/**
 * `count`: how many alike there were since the last one. No address, no path, no body: whoever may see the run sees this. The same record
 * gives the same event, so that Prefect has it once.
 */
export function announcementOf(record: NewRecord, count: number): Announcement {
  const isStart = createsRun(record);
  const { on_behalf_of: behalf = [] } = record;
  const principal = text(record.principal);
  const action = text(record.action);
  const reason = text(record.reason);
  const request = text(record.request_id);
  const run = text(record.flow_run_id);
  const who = [principal, ...behalf].join(' for ');
  const often = count > 1 ? `, ${count} times` : '';
  return {
    id: stableId('lictor-event', request, run, record.time),
    occurred: record.time,
    event: isStart ? 'lictor.run.started-by' : 'lictor.request.refused',
    resource: {
      'prefect.resource.id': `lictor.request.${request}`,
      'prefect.resource.name': isStart ? `started by ${who}` : `refused to ${who}: ${action} (${reason})${often}`,
      'lictor.principal': principal,
      'lictor.action': action,
    },
    related: [{ 'prefect.resource.id': `prefect.flow-run.${run}`, 'prefect.resource.role': 'flow-run' }],
    payload: { principal, on_behalf_of: behalf, action, request_id: request, ...(isStart ? {} : { reason, count }) },
  };
}

function text(value: string | null | undefined): string {
  return value ?? 'unknown';
}
