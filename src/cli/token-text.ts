// The output of `lictor token`.
import type { Config } from '../config/config.ts';
import { scopeText } from '../contract/scope.ts';
import type { StoredAccessToken } from '../store/access-tokens.ts';
import type { StoredToken } from '../store/tokens.ts';
import { scopeCell } from './admin.ts';
import { renderTable, type Terminal, terminalWidth, WIDE } from './table.ts';

const DAY_MS = 86_400_000;

export interface NewSecret {
  readonly token: StoredToken;
  readonly secret: string;
  readonly config: Pick<Config, 'publicUrl' | 'tls'>;
}

/** The only output that contains a secret. `role`: all roles, joined with commas. */
export function renderNewSecret({ token, secret, config: { publicUrl, tls } }: NewSecret, form: 'json' | 'text'): string {
  const { name, id, roles, cidrs, scope } = token;
  const expiresAt = isoOrNull(expiryOf(token));
  if (form === 'json')
    return `${JSON.stringify({ name, id, secret, expires_at: expiresAt, role: roles.join(','), roles, scope: scope === null ? null : scopeText(scope), cidrs })}\n`;
  const role = roles.length === 0 ? 'of an agent' : `role ${roles.join(', ')}`;
  const limits = [`${role}${scope === null ? '' : ` on ${scopeText(scope)}`}`, expiresAt === null ? 'no expiry' : `until ${expiresAt}`];
  if (cidrs.length > 0) limits.push(`from ${cidrs.join(', ')}`);
  return `Service token ${name} (${limits.join('; ')}). Its secret is shown now and never again:

  ${secret}

For stock Prefect clients (CLI, workers, flows):

  export PREFECT_API_URL=${publicUrl.origin}${publicUrl.basePath}/api
  export PREFECT_API_AUTH_STRING=any:${secret}
${authorityLines(tls?.selfMadeBy ?? null)}
Or, if the client needs its auth string for something else:

  export PREFECT_CLIENT_CUSTOM_HEADERS='{"X-Lictor-Token": "${secret}"}'

Do not use PREFECT_API_KEY: with an API key alone HTTP works and the event sockets cannot (the client sends nothing on them).
`;
}

/** A client without the authority rejects the gateway before it sends the token. */
function authorityLines(caFile: string | null): string {
  if (caFile === null) return '';
  return `  export PREFECT_API_SSL_CERT_FILE=${shellWord(caFile)}

The gateway's certificate is self-made: that file, which lictor up makes, is for every client. Where it cannot be read, name a copy of it.
`;
}

/** The path as one word for a shell. */
function shellWord(path: string): string {
  return /^[\w./+@%:=-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

/** One token of `token list --json`. */
export function tokenJson(token: StoredToken, nowMs: number): Readonly<Record<string, unknown>> {
  return {
    name: token.name,
    id: token.id,
    role: token.roles.join(','),
    roles: token.roles,
    scope: token.scope === null ? null : scopeText(token.scope),
    cidrs: token.cidrs,
    state: stateOf(token, nowMs),
    created_at: isoOrNull(token.createdMs),
    age_days: ageDays(token, nowMs),
    expires_at: isoOrNull(expiryOf(token)),
    last_used_at: isoOrNull(token.lastUsedMs),
    revoked_at: isoOrNull(token.revokedMs),
    live_secrets: token.revokedMs === null ? token.secrets.filter(({ expiresMs }) => expiresMs === null || expiresMs > nowMs).length : 0,
  };
}

export function renderTokens(tokens: readonly StoredToken[], nowMs: number, terminal: Terminal): string {
  const isNarrow = (terminalWidth(terminal) ?? WIDE) < WIDE;
  const named = (name: string, id: string): readonly string[] => (isNarrow ? [name] : [name, id]);
  const rows = tokens.map((token) => [
    ...named(token.name, token.id),
    token.roles.join(',') || '-',
    scopeCell(token.scope),
    stateOf(token, nowMs),
    `${ageDays(token, nowMs)} d`,
    day(expiryOf(token)) ?? 'never',
    minute(token.lastUsedMs) ?? 'never',
    token.cidrs.join(',') || 'anywhere',
  ]);
  return renderTable([[...named('NAME', 'ID'), 'ROLE', 'ON', 'STATE', 'AGE', 'EXPIRES', 'LAST USED (UTC)', 'FROM'], ...rows], terminal);
}

/** One token of `token list --access --json`. */
export function accessTokenJson(token: StoredAccessToken): Readonly<Record<string, unknown>> {
  const { id, createdMs, expiresMs } = token;
  const idp = token.chain === null ? token.identity.idp : null;
  const [principal, ...onBehalfOf] = holdersOf(token);
  const whose = { principal, idp, on_behalf_of: onBehalfOf, given_for: proofOf(token) };
  return { id, ...whose, created_at: isoOrNull(createdMs), expires_at: isoOrNull(expiresMs) };
}

/** The principal, and those that it acts for. */
function holdersOf(token: StoredAccessToken): readonly string[] {
  return token.chain === null ? [`${token.identity.name}@${token.identity.idp}`] : token.chain.principals;
}

/** Of the principal itself. */
function proofOf(token: StoredAccessToken): string {
  if (token.chain === null) return token.proof;
  const { actor } = token.chain;
  return actor.kind === 'identity' ? actor.proof : actor.id;
}

export function renderAccessTokens(tokens: readonly StoredAccessToken[], terminal: Terminal): string {
  const rows = tokens.map((token) => [token.id, holdersOf(token).join(' for '), minute(token.expiresMs) ?? '-', proofOf(token)]);
  return renderTable([['ID', 'PRINCIPAL', 'UNTIL (UTC)', 'GIVEN FOR'], ...rows], terminal);
}

/** Since the creation of the token. A rotation does not change it. */
function ageDays({ createdMs }: StoredToken, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - createdMs) / DAY_MS));
}

function expiryOf(token: StoredToken): number | null {
  return token.secrets[0]?.expiresMs ?? null;
}

function stateOf(token: StoredToken, nowMs: number): 'live' | 'expired' | 'revoked' {
  if (token.revokedMs !== null) return 'revoked';
  const expiresMs = expiryOf(token);
  return expiresMs !== null && expiresMs <= nowMs ? 'expired' : 'live';
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function day(ms: number | null): string | undefined {
  return isoOrNull(ms)?.slice(0, 10);
}

function minute(ms: number | null): string | undefined {
  return isoOrNull(ms)?.slice(0, 16).replace('T', ' ');
}
