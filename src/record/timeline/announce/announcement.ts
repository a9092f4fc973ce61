// The events about a run that the gateway sends to Prefect.
import type { NewRecord } from '../../../contract/record.ts';
import { runOfPrincipal } from '../../../contract/run-token.ts';
import { stableId } from '../../ledger/append.ts';
import type { Coalesced } from './coalesce.ts';
import type { Announcement } from './memory.ts';

/** Everyone who may see the run sees this event, so it has no address, path or body. The same record gives the same event id: Prefect stores it once. */
export function startAnnouncement(record: NewRecord): Announcement {
  const { principal, behalf, action, request, run, who } = wordsOf(record);
  return {
    ...eventOf(record.time, request, run),
    event: 'lictor.run.started-by',
    resource: resourceOf(request, `started by ${who}`, { principal, action }),
    payload: { principal, on_behalf_of: behalf, action, request_id: request },
  };
}

/** `count`: refusals since the last event. `mixed`: refusals of several kinds, the last one is `record`. */
export function refusalAnnouncement({ record, count, mixed }: Coalesced): Announcement {
  const { principal, behalf, action, request, run, who } = wordsOf(record);
  const reason = text(record.reason);
  const what = `refused to ${who}: ${action} (${reason})`;
  return {
    ...eventOf(record.time, request, run),
    event: isCutOff(record) && !mixed ? 'lictor.run.orphaned' : 'lictor.request.refused',
    resource: resourceOf(request, mixed ? `${count} more of other kinds, the last one ${what}` : `${what}${timesOf(count)}`, { principal, action }),
    payload: { principal, on_behalf_of: behalf, action, request_id: request, reason, count, kind: mixed ? 'several' : 'one' },
  };
}

/** The credential of this run's worker has ended, so the run cannot report its end. Only the run's own refusal proves that: automations act on this event. */
function isCutOff({ principal, reason, flow_run_id }: NewRecord): boolean {
  return reason === 'run-token-orphaned' && flow_run_id != null && runOfPrincipal(principal) === flow_run_id;
}

function timesOf(count: number): string {
  return count > 1 ? `, ${count} times` : '';
}

function wordsOf(record: NewRecord) {
  const behalf = [...(record.on_behalf_of ?? [])];
  const principal = text(record.principal);
  return {
    ...{ principal, behalf, action: text(record.action), request: text(record.request_id), run: text(record.flow_run_id) },
    who: [principal, ...behalf].join(' for '),
  };
}

function eventOf(time: string, request: string, run: string): Pick<Announcement, 'id' | 'occurred' | 'related'> {
  return {
    id: stableId('lictor-event', request, run, time),
    occurred: time,
    related: [{ 'prefect.resource.id': `prefect.flow-run.${run}`, 'prefect.resource.role': 'flow-run' }],
  };
}

function resourceOf(request: string, name: string, { principal, action }: { readonly principal: string; readonly action: string }) {
  return {
    'prefect.resource.id': `lictor.request.${request}`,
    'prefect.resource.name': name,
    'lictor.principal': principal,
    'lictor.action': action,
  };
}

function text(value: string | null | undefined): string {
  return value ?? 'unknown';
}
