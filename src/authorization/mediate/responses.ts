// Lictor's own answers on the mediated path: JSON with a code, never a 500.
import type { Operation } from '../../contract/operation.ts';
import { REASONS, type ReasonCode, refusalBody } from '../../contract/reasons.ts';
import { absentBody, absentStatus } from '../../contract/scope/absent.ts';
import type { Refusal } from './handler.ts';

export interface MediatedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Set when Lictor refused the request. */
  readonly refusal?: Refusal;
}

/** Prefect's own answer for an object that does not exist. */
export function absentResponse(operation: Operation | undefined, params: Readonly<Record<string, string>>): MediatedResponse {
  const [status, body] = [absentStatus(operation), Buffer.from(absentBody(operation, params))];
  return { status, headers: body.length === 0 ? {} : { 'content-type': 'application/json' }, body };
}

/** Seconds, where they differ from the default of 2. */
const RETRY_AFTER: Readonly<Partial<Record<ReasonCode, string>>> = { 'ledger-unavailable': '5' };

/** A budget may be used up for an hour: the client decides how long it waits. */
function mayRepeat({ code }: Refusal): boolean {
  return code !== 'budget-exceeded';
}

/** `not-forwarded`: nothing reached Prefect, so stock clients may repeat the request without a limit. */
export function refusalResponse(refusal: Refusal, requestId: string, forwarded: 'forwarded' | 'not-forwarded' = 'not-forwarded'): MediatedResponse {
  const { status } = REASONS[refusal.code];
  return {
    status,
    refusal,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(status === 401 && { 'www-authenticate': 'Bearer realm="lictor"' }),
      ...((status === 503 || status === 429) && { 'retry-after': retryAfter(refusal) }),
      ...((status === 503 || status === 429) && forwarded === 'not-forwarded' && mayRepeat(refusal) && { 'prefect-maintenance': 'true' }),
    },
    body: Buffer.from(JSON.stringify({ ...refusalBody(refusal.code, requestId, refusal.detail), ...refusal.members })),
  };
}

/** A stock client of Prefect sleeps as long as Retry-After says, without a message, and reports a refusal only after its retries. */
const LONGEST_SLEEP_SECONDS = 60;

/** Without a long wait for stock clients, which send this header: they report the refusal after some seconds. Its words have the true time. */
export function forClient(headers: Readonly<Record<string, string>>, refusal: Refusal): Refusal {
  const isLong = (refusal.retryAfterSeconds ?? 0) > LONGEST_SLEEP_SECONDS;
  const { retryAfterSeconds: _, ...withDefault } = refusal;
  return isLong && headers['x-prefect-api-version'] !== undefined ? withDefault : refusal;
}

function retryAfter({ code, retryAfterSeconds }: Refusal): string {
  return retryAfterSeconds === undefined ? (RETRY_AFTER[code] ?? '2') : String(retryAfterSeconds);
}
