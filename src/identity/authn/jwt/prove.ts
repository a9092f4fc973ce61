// JWT -> identity, step by step: Lictor checks everything in the text before it fetches the issuer's keys.
import { createHash } from 'node:crypto';
import type { JwtProvider } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import type { Identity } from '../../../contract/identity.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { audiencesOf, checkKind, checkRules, checkTimes, flattenClaims } from './claims.ts';
import { type CompactJwt, claim, parseCompactJwt } from './compact.ts';
import { checkHeader } from './header.ts';
import { jwtIdentity } from './identity.ts';
import type { SignatureVerifier } from './signature.ts';

export type JwtProof =
  | {
      readonly ok: true;
      readonly identity: Identity;
      readonly provider: JwtProvider;
      readonly expiresAtMs: number;
      /** Names the token without revealing it. */
      readonly credentialId: string;
    }
  | { readonly ok: false; readonly reason: ReasonCode };

/** Throws only if the issuer's keys are needed and cannot be fetched. */
export type ProveJwt = (text: string) => Promise<JwtProof>;

export interface TrustedIssuer {
  readonly provider: JwtProvider;
  readonly keys: SignatureVerifier;
}

export function createProveJwt(trusted: readonly TrustedIssuer[], clock: Clock): ProveJwt {
  return async (text) => {
    const token = parseCompactJwt(text);
    if (token === undefined) return refuse('jwt-malformed');
    const wrongHeader = checkHeader(token.header);
    if (wrongHeader !== undefined) return refuse(wrongHeader);
    const issuer = issuerOf(token, trusted);
    if (issuer === undefined) return refuse('jwt-issuer-unknown');
    const { provider } = issuer;
    const flat = flattenClaims(token.payload);
    if (flat === undefined) return refuse('jwt-malformed');
    const wrong = checkKind(token.payload) ?? checkTimes(token.payload, clock()) ?? checkRules(flat, provider);
    if (wrong !== undefined) return refuse(wrong);
    const identity = jwtIdentity(token.payload, flat, provider);
    if (identity === undefined) return refuse('jwt-claims');
    if (!(await issuer.keys.verify(token))) return refuse('jwt-signature');
    return { ok: true, identity, provider, expiresAtMs: Number(claim(token.payload, 'exp')) * 1000, credentialId: credentialIdOf(token) };
  };
}

/** The provider with exactly its `iss` and one of its audiences. If several match, none does. */
function issuerOf({ payload }: CompactJwt, trusted: readonly TrustedIssuer[]): TrustedIssuer | undefined {
  const audiences = audiencesOf(payload);
  if (audiences === undefined) return undefined;
  const [fitting, ...more] = trusted.filter(
    ({ provider }) => provider.issuer === claim(payload, 'iss') && provider.audiences.some((audience) => audiences.includes(audience)),
  );
  return more.length === 0 ? fitting : undefined;
}

/** The issuer's ID of the token if it is a simple one, so that the logs of both name the same. */
function credentialIdOf({ text, payload }: CompactJwt): string {
  const jti = claim(payload, 'jti');
  const plain = typeof jti === 'string' && /^[A-Za-z0-9._:-]{1,64}$/.test(jti);
  return `jwt:${plain ? jti : createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

function refuse(reason: ReasonCode): JwtProof {
  return { ok: false, reason };
}
