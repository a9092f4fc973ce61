// The answers of the gateway's own making on the mediated path: JSON with a code, never a 500.
import type { Operation } from '../../contract/operation.ts';
import { REASONS, type ReasonCode, refusalBody } from '../../contract/reasons.ts';
import { absentBody, absentStatus } from '../../contract/scope/absent.ts';
import type { Refusal } from './family.ts';

export interface MediatedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The answer is a refusal of the gateway's own. */
  readonly refusal?: Refusal;
}

/** Prefect's own answer for an object that is not there. */
export function absentResponse(operation: Operation | undefined, params: Readonly<Record<string, string>>): MediatedResponse {
  const [status, body] = [absentStatus(operation), Buffer.from(absentBody(operation, params))];
  return { status, headers: body.length === 0 ? {} : { 'content-type': 'application/json' }, body };
}

/** Seconds after which trying again makes sense. */
const RETRY_AFTER: Readonly<Partial<Record<ReasonCode, string>>> = { 'ledger-unavailable': '5' };

/** `not-forwarded`: nothing reached Prefect, so that stock clients may wait without counting. */
export function refusalResponse(refusal: Refusal, requestId: string, forwarded: 'forwarded' | 'not-forwarded' = 'not-forwarded'): MediatedResponse {
  const { status } = REASONS[refusal.code];
  return {
    status,
    refusal,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(status === 401 && { 'www-authenticate': 'Bearer realm="lictor"' }),
      ...((status === 503 || status === 429) && { 'retry-after': RETRY_AFTER[refusal.code] ?? '2' }),
      ...((status === 503 || status === 429) && forwarded === 'not-forwarded' && { 'prefect-maintenance': 'true' }),
    },
    body: Buffer.from(JSON.stringify(refusalBody(refusal.code, requestId, refusal.detail))),
  };
}
