// RFC 8693: another provider's proof in exchange for a short opaque token of Lictor. The type of the subject token selects the proof.
// With actor_token: chain-exchange.ts.

import type { Config, PublicUrl } from '../../config/config.ts';
import type { Identity } from '../../contract/identity.ts';
import { agentId, type Principal } from '../../contract/principal.ts';
import type { RecordedGrant } from '../../contract/record.ts';
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
import { ACCESS_TOKEN_MS, ACCESS_TOKEN_TYPE, type ChainExchangeParts, type ChainRequest, exchangeChain, tokenAnswer } from './chain-exchange.ts';
import type { Form } from './form.ts';
import type { Grant, Issued } from './issued.ts';
import { type OAuthRefusal, refuseRequest } from './refusal.ts';
import { parseAudience } from './requested.ts';

export interface ExchangeParts extends ChainExchangeParts {
  readonly config: Pick<Config, 'publicUrl' | 'roles' | 'identityProviders' | 'agents'>;
  readonly agents: Pick<Agents, 'ofPrincipal'>;
  readonly locks: Pick<Locks, 'list'>;
}

export function createTokenExchange(parts: ExchangeParts): Grant {
  const exchangeOne = createExchangeOne(parts);
  return async (form, address) => {
    const checked = checkForm(form, parts.config.publicUrl);
    if (!checked.ok) return checked;
    const request = { form, address, audience: checked.audience };
    if ((await lockOnAddress(parts.locks, address)) !== undefined) return { ok: false, error: 'invalid_grant', reason: 'locked' };
    return form.has('actor_token') ? exchangeChain(parts, request) : exchangeOne(request);
  };
}

function createExchangeOne({ config, agents, accessTokens, locks, clock, proofs }: ExchangeParts): (request: ChainRequest) => Promise<Issued | OAuthRefusal> {
  const roleBook = createRoleBook(config.roles);
  return async ({ form, audience }) => {
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
        const proven = { identity, trust: trustIn(provider), proof: credentialId };
        await accessTokens.create({ id, hash: hashToken(text), audience, chain: null, ...proven, expiresMs });
        return tokenAnswer(text, expiresMs - nowMs);
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
function checkForm(form: Form, publicUrl: PublicUrl): { readonly ok: true; readonly audience: string | null } | OAuthRefusal {
  if (!form.has('subject_token') || !form.has('subject_token_type')) return refuseRequest('subject_token and subject_token_type are needed.');
  if (form.has('actor_token') !== form.has('actor_token_type')) return refuseRequest('actor_token and actor_token_type are needed together.');
  if (![undefined, ACCESS_TOKEN_TYPE].includes(form.get('requested_token_type'))) return refuseRequest('Only access tokens are given here.');
  if (form.has('scope'))
    return { ok: false, error: 'invalid_scope', reason: 'request-invalid', detail: 'Scopes are not accepted here: rights come from roles.' };
  const named = ['resource', 'audience'].flatMap((name) => form.get(name) ?? []);
  const audiences = new Set(named.map((resource) => audienceOf(resource, publicUrl)));
  if (audiences.size > 1 || audiences.has(undefined))
    return { ok: false, error: 'invalid_target', reason: 'request-invalid', detail: 'Tokens are given for this gateway alone.' };
  const [audience = null] = audiences;
  return { ok: true, audience };
}

/** A named resource binds the token to its part of the gateway. Without one, the token of a machine is valid at every part. */
function audienceOf(resource: string, publicUrl: PublicUrl): string | undefined {
  return parseAudience(new Map([['resource', resource]]), publicUrl);
}
