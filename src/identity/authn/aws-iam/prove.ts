// A signed GetCallerIdentity -> identity. Lictor builds the request itself and sends it to STS, which names the signer. Each counts once.
import type { AwsIamProvider } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import { LictorError } from '../../../contract/error.ts';
import type { Identity } from '../../../contract/identity.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import type { Marks } from '../../../store/marks.ts';
import { type Outbound, OutboundError } from '../outbound.ts';
import { parseAwsIdentity, toIdentity } from './aws-identity.ts';
import { BODY, parseSignedRequest, type SignedRequest, WINDOW_MS } from './signed-request.ts';

export type AwsProof =
  | { readonly ok: true; readonly identity: Identity; readonly provider: AwsIamProvider; readonly expiresAtMs: null; readonly credentialId: string }
  | { readonly ok: false; readonly reason: ReasonCode };

export interface AwsParts {
  readonly provider: AwsIamProvider;
  readonly outbound: Pick<Outbound, 'fetch'>;
  readonly marks: Marks;
  readonly clock: Clock;
}

const MARK = 'aws-iam';
/** Unless the client has signed another one. */
const FORM = 'application/x-www-form-urlencoded; charset=utf-8';

/** Throws LictorError `gateway-unavailable` if STS does not answer. */
export function createProveAws({ provider, outbound, marks, clock }: AwsParts): (text: string) => Promise<AwsProof> {
  return async (text) => {
    const request = parseSignedRequest(text, provider, clock());
    if (typeof request === 'string') return { ok: false, reason: request };
    if (await marks.used(MARK, request.signature)) return { ok: false, reason: 'aws-replayed' };
    const identity = await askSts(request, provider.id, outbound);
    if (identity === undefined) return { ok: false, reason: 'aws-refused' };
    // Marked after the check, so that only a valid signature leaves a mark. Of several at once only one is first.
    if (!(await marks.once(MARK, request.signature, request.dateMs + WINDOW_MS + 1, request.dateMs))) return { ok: false, reason: 'aws-replayed' };
    return { ok: true, identity, provider, expiresAtMs: null, credentialId: `aws:${request.accessKeyId}` };
  };
}

/** Undefined: STS rejects it, or names an identity that cannot log in. */
async function askSts({ endpoint, headers }: SignedRequest, idp: string, outbound: Pick<Outbound, 'fetch'>): Promise<Identity | undefined> {
  const answer = await reach(() => outbound.fetch(endpoint.url, { method: 'POST', headers: { 'content-type': FORM, ...headers }, body: BODY }));
  const xml = await answer.text();
  if (answer.status >= 500 || answer.status === 429 || /<Code>(?:Throttling|RequestLimitExceeded)/.test(xml))
    throw unavailable(`STS answered ${answer.status}`);
  if (answer.status !== 200) return undefined;
  const aws = parseAwsIdentity(xml);
  return aws === undefined ? undefined : toIdentity(aws, idp);
}

async function reach(ask: () => Promise<Response>): Promise<Response> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof OutboundError) throw unavailable(cause.message);
    throw cause;
  }
}

function unavailable(detail: string): LictorError {
  return new LictorError('gateway-unavailable', 'AWS STS cannot be asked', { detail });
}
