// What a request did, as text.
import { CONNECT_ACTION } from '../../contract/destination.ts';
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
