// RFC 8693: another provider's proof in exchange for a short opaque token of Lictor. The type of the subject token selects the proof.

import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Identity } from '../../contract/identity.ts';
import { agentId, type Principal } from '../../contract/principal.ts';
import type { RecordedGrant } from '../../contract/record.ts';
import type { AccessTokens } from '../../store/access-tokens.ts';
import type { Locks } from '../../store/locks.ts';
import { trustIn } from '../authn/access-token/trust.ts';
import { actingPrincipal } from '../authn/agent/acting.ts';
import type { Agents } from '../authn/agent/agents.ts';
import { identityPrincipal } from '../authn/identity/principal.ts';
import { lockOnAddress } from '../authn/locks.ts';
import { grantsOfAgent, recordedGrants } from '../authn/recorded-grants.ts';
import { identityHolder } from '../authn/role-origins.ts';
import { createRoleBook } from '../authn/roles.ts';
import { createTokenId, createTokenText, hashToken } from '../authn/service-token/token-text.ts';
import type { Prove } from '../authn/subject-tokens.ts';
import type { Form } from './form.ts';
import type { Grant } from './issued.ts';
import { type OAuthRefusal, refuseRequest } from './refusal.ts';

export const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
/** Independent of the life of the proof. */
export const ACCESS_TOKEN_MS = 15 * 60_000;

export interface ExchangeParts {
  readonly config: Pick<Config, 'publicUrl' | 'roles' | 'identityProviders' | 'agents'>;
  readonly agents: Pick<Agents, 'ofPrincipal'>;
  readonly accessTokens: Pick<AccessTokens, 'create'>;
  readonly locks: Pick<Locks, 'list'>;
  readonly clock: Clock;
  /** By subject_token_type. */
  readonly proofs: ReadonlyMap<string, Prove>;
}

export function createTokenExchange({ config, agents, accessTokens, locks, clock, proofs }: ExchangeParts): Grant {
  const roleBook = createRoleBook(config.roles);
  const { origin, basePath } = config.publicUrl;
  const targets: readonly string[] = [`${origin}${basePath}`, `${origin}${basePath}/`, `${origin}${basePath}/api`];
  return async (form, address) => {
    const wrong = checkForm(form, targets);
    if (wrong !== undefined) return wrong;
    if ((await lockOnAddress(locks, address)) !== undefined) return { ok: false, error: 'invalid_grant', reason: 'locked' };
    const prove = proofs.get(form.get('subject_token_type') ?? '');
    if (prove === undefined) return refuseRequest('subject_token_type is none that is accepted here.');
    const proof = await prove(form.get('subject_token') ?? '');
    if (!proof.ok) return { ok: false, error: 'invalid_grant', reason: proof.reason };
    const { identity, provider, credentialId } = proof;
    const workload = { ...identityPrincipal(identity, roleBook), kind: identity.kind };
    const acting = await actingPrincipal({ agents, locks, config }, workload);
    const { principal } = acting;
    const who = { principalId: principal.id, principalKind: principal.kind, ...(principal.idp !== null && { idp: principal.idp }), credentialId };
    if (!acting.ok) return { ok: false, error: 'invalid_grant', reason: acting.reason, ...who };
    // A principal without a role gets no token: only principals with a role may log in.
    if (principal.grants.length === 0) return { ok: false, error: 'invalid_grant', reason: 'policy-default-deny', ...who };
    const id = createTokenId();
    const expiresOf = (nowMs: number): number => Math.min(nowMs + ACCESS_TOKEN_MS, proof.expiresAtMs ?? Number.POSITIVE_INFINITY);
    return {
      ok: true,
      principal,
      proofId: credentialId,
      tokenId: id,
      grants: grantsOf(config, { identity, principal, expiresMs: expiresOf(clock()) }),
      async issue() {
        const nowMs = clock();
        const expiresMs = expiresOf(nowMs);
        const { text } = createTokenText(id, 'lca_');
        await accessTokens.create({ id, hash: hashToken(text), identity, trust: trustIn(provider), proof: credentialId, expiresMs });
        return {
          access_token: text,
          issued_token_type: ACCESS_TOKEN_TYPE,
          token_type: 'Bearer',
          expires_in: Math.max(0, Math.floor((expiresMs - nowMs) / 1000)),
        };
      },
    };
  };
}

interface Holding {
  readonly identity: Identity;
  readonly principal: Principal;
  readonly expiresMs: number;
}

function grantsOf({ roles, agents }: ExchangeParts['config'], { identity, principal, expiresMs }: Holding): readonly RecordedGrant[] {
  const agent = agents.find(({ name }) => agentId(name) === principal.id);
  if (agent !== undefined) return grantsOfAgent(agent.name, agents, { expiresMs });
  return recordedGrants(identityHolder(identity, roles), roles, { principal: principal.id, expiresMs });
}

/** There is one kind of token. A request for anything else is rejected, never ignored. */
function checkForm(form: Form, targets: readonly string[]): OAuthRefusal | undefined {
  if (!form.has('subject_token') || !form.has('subject_token_type')) return refuseRequest('subject_token and subject_token_type are needed.');
  if (form.has('actor_token') || form.has('actor_token_type')) return refuseRequest('actor_token is not accepted here.');
  if (![undefined, ACCESS_TOKEN_TYPE].includes(form.get('requested_token_type'))) return refuseRequest('Only access tokens are given here.');
  if (form.has('scope'))
    return { ok: false, error: 'invalid_scope', reason: 'request-invalid', detail: 'Scopes are not accepted here: rights come from roles.' };
  const wrong = ['resource', 'audience'].some((name) => !targets.includes(form.get(name) ?? targets[0] ?? ''));
  return wrong ? { ok: false, error: 'invalid_target', reason: 'request-invalid', detail: 'Tokens are given for this gateway alone.' } : undefined;
}
