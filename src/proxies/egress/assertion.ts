// X-Lictor-Assertion: the caller's principal for a service, as a JWT that the service verifies with the published keys.
//
// It is part of a cached decision, which may be used for half a minute while the control plane does not answer. So it describes no single request, and
// is valid for longer. Not checked here: whether the call is allowed.
import { SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import type { SigningKeys } from '../../config/keys/signing-keys.ts';
import { atMostEntries } from '../../contract/cache-limit.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Entity } from '../../contract/entity.ts';
import { type Principal, RUN_ATTRIBUTE } from '../../contract/principal.ts';

export interface AboutCall {
  readonly service: string;
  readonly principal: Principal;
  /** The calling run from Prefect, with those tags that its deployment has. Null: none. */
  readonly run: Entity | null;
}

export type Assert = (about: AboutCall) => Promise<string>;

/** An access token has another type, and an ID token none: neither can replace the other. */
export const ASSERTION_TYPE = 'lictor-assertion+jwt';
/** A decision is used for at most 32 s, and its assertion is no older. */
export const ASSERTION_SECONDS = 120;
const SAME_FOR_MS = 5_000;

/** Some 2 MiB. */
const MOST = 1_000;
/** Most servers reject a longer header. */
const MOST_TAGS_LENGTH = 2_000;

/** Signed once for the same call within some seconds: it does not depend on method and path. */
export function createAssertions(keys: Pick<SigningKeys, 'current'>, issuer: string, clock: Clock): Assert {
  const known = new LRUCache<string, { readonly madeMs: number; readonly text: Promise<string> }>(atMostEntries(MOST));
  return (about) => {
    const claims = claimsOf(about);
    const key = JSON.stringify([about.service, about.principal.id, claims]);
    const found = known.get(key);
    const ageMs = found === undefined ? Number.POSITIVE_INFINITY : clock() - found.madeMs;
    // Below 0 the clock was put back, and a service would reject an assertion from its future.
    if (found !== undefined && ageMs >= 0 && ageMs < SAME_FOR_MS) return found.text;
    const text = sign({ keys, issuer, clock }, about, claims);
    known.set(key, { madeMs: clock(), text });
    text.catch(() => known.delete(key));
    return text;
  };
}

type Claims = Readonly<Record<string, string | readonly string[] | boolean | Act>>;

/** Who started the run, nearest first (the nesting of RFC 8693, 4.1): evidence of its origin, not a right of the caller. */
interface Act {
  readonly sub: string;
  readonly act?: Act;
}

function claimsOf({ principal, run }: AboutCall): Claims {
  const { kind, attributes, onBehalfOf } = principal;
  const act = onBehalfOf.reduceRight<Act | undefined>((inner, sub) => ({ sub, ...(inner !== undefined && { act: inner }) }), undefined);
  const runId = kind === 'run' ? attributes[RUN_ATTRIBUTE] : undefined;
  const deploymentId = kind === 'run' ? attributes['deployment'] : undefined;
  const tags = run?.tags ?? [];
  const tooLong = JSON.stringify(tags).length > MOST_TAGS_LENGTH;
  return {
    principal_kind: kind,
    ...(act !== undefined && { act }),
    ...(runId !== undefined && { run: runId }),
    ...(deploymentId !== undefined && { deployment_id: deploymentId }),
    ...(run?.deployment != null && { deployment: run.deployment }),
    ...(run?.flow != null && { flow: run.flow }),
    ...(run !== null && (tooLong ? { tags_omitted: true } : { tags })),
  };
}

interface Signing {
  readonly keys: Pick<SigningKeys, 'current'>;
  readonly issuer: string;
  readonly clock: Clock;
}

async function sign({ keys, issuer, clock }: Signing, { service, principal }: AboutCall, claims: Claims): Promise<string> {
  const { kid, key } = await keys.current();
  const now = Math.floor(clock() / 1000);
  return await new SignJWT({ ...claims })
    .setProtectedHeader({ alg: 'ES256', kid, typ: ASSERTION_TYPE })
    .setIssuer(issuer)
    .setSubject(principal.id)
    .setAudience(service)
    .setIssuedAt(now)
    .setExpirationTime(now + ASSERTION_SECONDS)
    .sign(key);
}
