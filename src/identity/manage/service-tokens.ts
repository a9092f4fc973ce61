// Creates and rotates service tokens, for the command line and the admin API. Records each change before it takes effect.
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import type { RecordedGrant } from '../../contract/record.ts';
import type { Store } from '../../store/store.ts';
import type { StoredToken } from '../../store/tokens.ts';
import { createAgentCredentials } from '../authn/agent/credentials.ts';
import { grantsOfAgent, recordedGrants } from '../authn/recorded-grants.ts';
import { tokenHolder } from '../authn/role-origins.ts';
import { createTokenId, createTokenText, hashToken } from '../authn/service-token/token-text.ts';

export const TOKEN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
export const DEFAULT_OVERLAP_MS = 86_400_000;

export type TokenRights = Pick<StoredToken, 'name' | 'roles' | 'scope' | 'cidrs' | 'lifetimeMs'>;

export interface TokenChange {
  readonly action: 'token.create' | 'token.rotate' | 'token.confirm';
  readonly name: string;
  readonly grants: readonly RecordedGrant[];
}

export interface TokenParts {
  readonly store: Pick<Store, 'tokens'>;
  readonly config: Pick<Config, 'agents' | 'roles'>;
  readonly clock: Clock;
  /** Rejects if the change cannot be recorded. Then it does not happen. */
  readonly record: (change: TokenChange) => Promise<void>;
}

/** A token has its own roles, and the token of an agent has those of lictor.yaml. Undefined: nothing is wrong. */
export function rightsProblem({ name, roles, scope }: Pick<TokenRights, 'name' | 'roles' | 'scope'>, { agents }: Pick<Config, 'agents'>) {
  const isAgent = createAgentCredentials(agents).ofToken(name) !== undefined;
  if (isAgent) return roles.length > 0 || scope !== null ? 'roles-of-agent' : undefined;
  return roles.length === 0 ? 'role-needed' : undefined;
}

/** Answers the secret, which nothing else holds. Throws LictorError `token-name-taken` if a live token has the name. */
export async function createServiceToken({ store, config, clock, record }: TokenParts, token: TokenRights): Promise<string> {
  if ((await store.tokens.byName(token.name)) !== undefined) throw nameTaken(token.name);
  const { id, text: secret } = createTokenText(createTokenId());
  await record({ action: 'token.create', name: token.name, grants: grantsOfToken(token, config, clock()) });
  if (!(await store.tokens.create({ ...token, id, hash: hashToken(secret) }))) throw nameTaken(token.name);
  return secret;
}

/** Answers the new secret. Undefined: the token was revoked meanwhile. */
export async function rotateServiceToken(
  { store, config, clock, record }: TokenParts,
  { token, overlapMs }: { readonly token: StoredToken; readonly overlapMs: number },
): Promise<string | undefined> {
  const { text: secret } = createTokenText(token.id);
  await record({ action: 'token.rotate', name: token.name, grants: grantsOfToken(token, config, clock()) });
  return (await store.tokens.rotate({ id: token.id, hash: hashToken(secret), overlapMs })) ? secret : undefined;
}

/** Ends the hold that a restore put on it. False: it is not on hold. */
export async function confirmServiceToken({ store, config, clock, record }: TokenParts, token: StoredToken): Promise<boolean> {
  if (token.heldMs === null) return false;
  await record({ action: 'token.confirm', name: token.name, grants: grantsOfToken(token, config, clock()) });
  return await store.tokens.confirm(token.id);
}

/** What a stock client of Prefect needs in its environment. */
export function clientEnvironment(secret: string, { publicUrl, tls }: Pick<Config, 'publicUrl' | 'tls'>): Readonly<Record<string, string>> {
  const authority = tls?.selfMadeBy ?? null;
  return {
    PREFECT_API_URL: `${publicUrl.origin}${publicUrl.basePath}/api`,
    PREFECT_API_AUTH_STRING: `any:${secret}`,
    // A client without the authority rejects the gateway before it sends the token.
    ...(authority !== null && { PREFECT_API_SSL_CERT_FILE: authority }),
  };
}

/** The rights of the token until the end of its new secret. */
function grantsOfToken(token: TokenRights, { agents, roles }: TokenParts['config'], nowMs: number): readonly RecordedGrant[] {
  const expiresMs = token.lifetimeMs === null ? null : nowMs + token.lifetimeMs;
  const isAgent = createAgentCredentials(agents).ofToken(token.name) !== undefined;
  if (isAgent) return grantsOfAgent(token.name, agents, { networks: token.cidrs, expiresMs });
  return recordedGrants(tokenHolder(token), roles, { principal: `token:${token.name}`, networks: token.cidrs, expiresMs });
}

function nameTaken(name: string): LictorError {
  return new LictorError('token-name-taken', `There is a token ${name} already. Rotate it (lictor token rotate ${name}), revoke it, or take another name.`);
}
