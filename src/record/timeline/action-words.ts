// What a request did, and what an event of Prefect says, as text.
import { CONNECT_ACTION } from '../../contract/destination.ts';
import type { PrefectEvent } from '../../contract/prefect-event.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { SERVICES_PREFIX } from '../../contract/service-call.ts';

/** The call of a service, the action, or the plain request if it is no route of Prefect. */
export function actionWords(record: LedgerRecord): string {
  if (record.service !== null) return `${record.service} ${record.method ?? '-'} ${belowService(record)}`.trimEnd();
  if (record.action === CONNECT_ACTION)
    return `${record.resource_id} ${record.method ?? '-'} ${record.method === 'CONNECT' ? '' : (record.path ?? '')}`.trimEnd();
  return record.action ?? `${record.method ?? '-'} ${record.path ?? ''}`.trimEnd();
}

/** `/.lictor/svc/billing/v1/x` -> `/v1/x`. */
function belowService({ path, service }: LedgerRecord): string {
  const [, below = path ?? ''] = (path ?? '').split(`${SERVICES_PREFIX}${service ?? ''}`);
  return below;
}

/** An event of Prefect as text, or its name if there is no text for it. */
export function eventWords({ event, resource_name: name, resource_id: id }: PrefectEvent): string {
  const what = name ?? id;
  if (event === 'prefect.worker.submitted-flow-run') return `worker ${what} started its process`;
  if (event === 'prefect.worker.executed-flow-run') return `worker ${what} saw it end`;
  return `${event.replace(/^prefect\./, '')}${event.startsWith('prefect.flow-run.') ? '' : `  ${what}`}`;
}
