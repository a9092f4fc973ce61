// The closed list of reasons: stable code -> status, words for the client, hint. Documented in docs/reference/errors.md.
import { CREDENTIAL_REASONS } from './reasons/credentials.ts';
import { OUTAGE_REASONS } from './reasons/outages.ts';
import { REQUEST_REASONS } from './reasons/requests.ts';
import { RIGHT_REASONS } from './reasons/rights.ts';
import type { ReasonText } from './reasons/text.ts';

export const REASONS = {
  'policy-permits': { status: 200, detail: 'A policy permits this.', hint: '' },
  'scope-narrows': { status: 200, detail: 'A policy permits this. Enforcement would leave out the objects outside the scope of the role.', hint: '' },
  ...CREDENTIAL_REASONS,
  ...RIGHT_REASONS,
  ...REQUEST_REASONS,
  ...OUTAGE_REASONS,
} as const satisfies Record<string, ReasonText>;

export type ReasonCode = keyof typeof REASONS;

/** The JSON body of every refusal. `detail` may be made more precise by the caller. */
export function refusalBody(code: ReasonCode, requestId: string, detail?: string): { detail: string; code: ReasonCode; hint: string; request_id: string } {
  const text = REASONS[code];
  return { detail: detail ?? text.detail, code, hint: text.hint, request_id: requestId };
}

export function isReasonCode(value: string): value is ReasonCode {
  return Object.hasOwn(REASONS, value);
}
