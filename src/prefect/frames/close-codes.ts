// The close code and reason that one side gets when the other side ends (RFC 6455, 7.4).
import { REASONS, type ReasonCode } from '../../contract/reasons.ts';

export const CLOSE = {
  policy: 1008,
  unsupported: 1003,
  tooLarge: 1009,
  /** Stock clients reconnect and resend unconfirmed events. */
  restart: 1012,
  goingAway: 1001,
  normal: 1000,
} as const;

const REASON_BYTES = 123;

export interface Closing {
  /** Left out: a close frame without a code. */
  readonly code?: number;
  readonly reason: string;
}

/** The close frame for the client after Prefect's end. It never contains `secret`, even if Prefect echoes it. */
export function closingFromUpstream(code: number, reason: string, secret: string | null): Closing {
  if (code === 1005) return { reason: '' };
  if (!mayBeSent(code)) return { code: CLOSE.restart, reason: 'Prefect closed the connection' };
  const revealsSecret = secret !== null && secret !== '' && reason.includes(secret);
  return { code, reason: revealsSecret ? '' : cutReason(reason) };
}

/** The close frame for Prefect after the client's end. */
export function closingFromClient(code: number, reason: string): Closing {
  if (code === 1005) return { reason: '' };
  return mayBeSent(code) ? { code, reason: cutReason(reason) } : { code: CLOSE.goingAway, reason: '' };
}

/** The reason of a close frame for a refusal: the code, and as much of the hint as fits. */
export function refusalReason(code: ReasonCode): string {
  const { hint, detail } = REASONS[code];
  return cutReason(`${code}: ${hint === '' ? detail : hint}`);
}

/** No close frame may have 1004, 1005, 1006 or 1015, nor a code above 1014 outside the private ranges. */
function mayBeSent(code: number): boolean {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
}

/** At most 123 bytes, cut between two words. A longer single word is cut between two characters. */
export function cutReason(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= REASON_BYTES) return text;
  // One byte more than fits: a space there ends a whole word.
  const head = bytes.subarray(0, REASON_BYTES + 1).toString('latin1');
  const end = head.lastIndexOf(' ');
  const cut = bytes.subarray(0, end > 0 ? end : REASON_BYTES);
  return cut.toString('utf8').replace(/\uFFFD+$/, '');
}
