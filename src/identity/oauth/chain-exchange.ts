// RFC 8693 with actor_token: the proof of an actor and of the subject that it acts for, in exchange for one token with the rights that both have.
import type { Clock } from '../../contract/clock.ts';
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { PrincipalKind } from '../../contract/principal.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { ChainLink } from '../../store/access-token-chain.ts';
import type { AccessTokens } from '../../store/access-tokens.ts';
import { type AccessStanding, actingFor, earlier, type Stands } from '../authn/access-token/standing.ts';
import { trustIn } from '../authn/access-token/trust.ts';
import type { Authenticator } from '../authn/authenticator.ts';
import { grantCredentialId, MCP_AUDIENCE } from '../authn/grant/verify.ts';
import { createTokenId, createTokenText, hashToken } from '../authn/service-token/token-text.ts';
import type { Prove } from '../authn/subject-tokens.ts';
import type { Form } from './form.ts';
import type { Act, Issued } from './issued.ts';
import { type OAuthRefusal, refuseRequest } from './refusal.ts';

export const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';
/** Independent of the life of the proof. */
export const ACCESS_TOKEN_MS = 15 * 60_000;

export interface ChainExchangeParts {
  readonly accessTokens: Pick<AccessTokens, 'create' | 'byId'>;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly standing: Pick<AccessStanding, 'ofLink'>;
  readonly clock: Clock;
  /** By the type of the token. */
  readonly proofs: ReadonlyMap<string, Prove>;
}

export interface ChainRequest {
  readonly form: Form;
  readonly address: string;
  /** The only part of the gateway where the token is to be valid; null: all parts. */
  readonly audience: string | null;
}

export async function exchangeChain(parts: ChainExchangeParts, request: ChainRequest): Promise<Issued | OAuthRefusal> {
  const actor = await proven(parts, request, 'actor');
  if (!actor.ok) return actor;
  if (!ACTORS.includes(actor.stands.principal.kind)) return refuseRequest('actor_token must be of an agent or a workload.');
  if (await hasChain(parts, actor.link)) return refuseRequest('actor_token must not act for another principal.');
  const subject = await proven(parts, request, 'subject');
  if (!subject.ok) return subject;
  const both = actingFor(actor.stands, subject.stands);
  if (!both.ok) return { ...refused(both.reason, actor.stands), onBehalfOf: subject.stands.path };
  const { principal, path } = both;
  if (request.audience !== null && both.audience !== null && both.audience !== request.audience) return refused('token-audience', both);
  const id = createTokenId();
  // A login is valid at one part of the gateway, and so is a token that depends on it.
  const audience = request.audience ?? both.audience;
  return {
    ok: true,
    principal,
    proofId: actor.proofId,
    tokenId: id,
    async issue() {
      const nowMs = parts.clock();
      const latestMs = [actor.expiresAtMs, subject.expiresAtMs, both.expiresAtMs].reduce(earlier, nowMs + ACCESS_TOKEN_MS);
      const expiresMs = latestMs ?? nowMs;
      const { text } = createTokenText(id, 'lca_');
      const chain = { actor: actor.link, subject: subject.link, principals: [principal.id, ...principal.onBehalfOf] };
      await parts.accessTokens.create({ id, hash: hashToken(text), audience, chain, expiresMs });
      return { ...tokenAnswer(text, expiresMs - nowMs), ...actOf(path) };
    },
  };
}

export function tokenAnswer(text: string, leftMs: number) {
  const expires_in = Math.max(0, Math.floor(leftMs / 1000));
  return { access_token: text, issued_token_type: ACCESS_TOKEN_TYPE, token_type: 'Bearer', expires_in };
}

/** RFC 8693 4.1: the subject, and its actors, the present one outermost. */
function actOf(path: readonly string[]): { readonly sub: string; readonly act?: Act } {
  const act = path.slice(0, -1).reduceRight<Act | undefined>((inner, sub) => ({ sub, ...(inner !== undefined && { act: inner }) }), undefined);
  return { sub: path.at(-1) ?? '', ...(act !== undefined && { act }) };
}

/** A person acts through an agent or a workload, never for another person. */
const ACTORS: readonly PrincipalKind[] = ['agent', 'service', 'worker'];

async function hasChain({ accessTokens }: ChainExchangeParts, link: ChainLink): Promise<boolean> {
  return link.kind === 'access' && (await accessTokens.byId(link.id))?.chain !== null;
}

type Role = 'actor' | 'subject';

interface Proven {
  readonly ok: true;
  readonly link: ChainLink;
  readonly proofId: string;
  readonly expiresAtMs: number | null;
  readonly stands: Stands;
}

async function proven(parts: ChainExchangeParts, request: ChainRequest, role: Role): Promise<Proven | OAuthRefusal> {
  const shown = await shownLink(parts, request, role);
  if (!shown.ok) return shown;
  const stands = await parts.standing.ofLink(shown.link, request.address);
  if (!stands.ok) return refused(stands.reason);
  // A principal without a role gets no token: only principals with a role may log in.
  if (stands.principal.grants.length === 0) return refused('policy-default-deny', stands);
  return { ...shown, stands };
}

function refused(reason: ReasonCode, stands?: Stands): OAuthRefusal {
  const refusal = { ok: false, error: 'invalid_grant', reason } as const;
  if (stands === undefined) return refusal;
  const { id, kind, idp, onBehalfOf } = stands.principal;
  return { ...refusal, principalId: id, principalKind: kind, ...(idp !== null && { idp }), onBehalfOf };
}

async function shownLink(parts: ChainExchangeParts, { form, address, audience }: ChainRequest, role: Role): Promise<Omit<Proven, 'stands'> | OAuthRefusal> {
  const type = form.get(`${role}_token_type`) ?? '';
  const text = form.get(`${role}_token`) ?? '';
  if (type === ACCESS_TOKEN_TYPE) return ownLink(parts, text, { role, inputs: inputsOf(text, address, audience) });
  const prove = parts.proofs.get(type);
  if (prove === undefined) return refuseRequest(`${role}_token_type is none that is accepted here.`);
  const proof = await prove(text);
  if (!proof.ok) return refused(proof.reason);
  const { identity, provider, credentialId, expiresAtMs } = proof;
  const link = { kind: 'identity', identity, trust: trustIn(provider), proof: credentialId } as const;
  return { ok: true, link, proofId: credentialId, expiresAtMs };
}

/** The token is verified like the credential of any other request, so locks and networks count as well. */
async function ownLink(
  { authenticator }: ChainExchangeParts,
  text: string,
  { role, inputs }: { readonly role: Role; readonly inputs: EdgeInputs },
): Promise<Omit<Proven, 'stands'> | OAuthRefusal> {
  const kind = KINDS.find(({ prefix, roles }) => text.startsWith(prefix) && roles.includes(role))?.kind;
  if (kind === undefined) return refuseRequest(`${role}_token is no token of this gateway that is accepted here.`);
  const shown = await authenticator.authenticate(inputs);
  if (!shown.ok) return { ok: false, error: 'invalid_grant', reason: shown.reason, ...(shown.credentialId !== null && { credentialId: shown.credentialId }) };
  const { id, expiresAtMs } = shown.credential;
  return { ok: true, link: { kind, id: kind === 'login' ? id.slice(grantCredentialId('').length) : id }, proofId: id, expiresAtMs };
}

/** A service token proves a machine, which acts by itself. */
const KINDS: readonly { readonly prefix: string; readonly kind: 'token' | 'login' | 'access'; readonly roles: readonly Role[] }[] = [
  { prefix: 'lca_', kind: 'access', roles: ['actor', 'subject'] },
  { prefix: 'lcu_', kind: 'login', roles: ['actor', 'subject'] },
  { prefix: 'lct_', kind: 'token', roles: ['actor'] },
];

function inputsOf(text: string, address: string, audience: string | null): EdgeInputs {
  return {
    ...{ requestId: '', host: '', listener: '', address, authorization: `Bearer ${text}`, token: '', session: '', certificate: '' },
    ...{ sameOrigin: false, method: 'POST', operation: '', path: '', args: '' },
    ...(audience === MCP_AUDIENCE && { audience }),
  };
}
