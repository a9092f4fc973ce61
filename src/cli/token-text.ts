// The output of `lictor token`.
import type { Config } from '../config/config.ts';
import { accessTokenJson } from '../identity/manage/access-token-json.ts';
import { clientEnvironment } from '../identity/manage/service-tokens.ts';
import type { TokenJson } from '../identity/manage/token-json.ts';
import type { StoredAccessToken } from '../store/access-tokens.ts';
import { renderTable, type Terminal, terminalWidth, WIDE } from './table.ts';

export interface NewSecret {
  readonly token: TokenJson;
  readonly secret: string;
  readonly config: Pick<Config, 'publicUrl' | 'tls'>;
}

/** The only output that contains a secret. `role`: all roles, joined with commas. */
export function renderNewSecret({ token, secret, config }: NewSecret, form: 'json' | 'text'): string {
  const { name, id, role: allRoles, roles, cidrs, scope, expires_at: expiresAt } = token;
  if (form === 'json') return `${JSON.stringify({ name, id, secret, expires_at: expiresAt, role: allRoles, roles, scope, cidrs })}\n`;
  const role = roles.length === 0 ? 'of an agent' : `role ${roles.join(', ')}`;
  const limits = [`${role}${scope === null ? '' : ` on ${scope}`}`, expiresAt === null ? 'no expiry' : `until ${expiresAt}`];
  if (cidrs.length > 0) limits.push(`from ${cidrs.join(', ')}`);
  return `Service token ${name} (${limits.join('; ')}). Its secret is shown now and never again:

  ${secret}

For stock Prefect clients (CLI, workers, flows):

${exportLines(clientEnvironment(secret, config))}
Or, if the client needs its auth string for something else:

  export PREFECT_CLIENT_CUSTOM_HEADERS='{"X-Lictor-Token": "${secret}"}'

Do not use PREFECT_API_KEY: with an API key alone HTTP works and the event sockets cannot (the client sends nothing on them).
`;
}

function exportLines(environment: Readonly<Record<string, string>>): string {
  const lines = Object.entries(environment).map(([name, value]) => `  export ${name}=${shellWord(value)}\n`);
  return `${lines.join('')}${'PREFECT_API_SSL_CERT_FILE' in environment ? AUTHORITY : ''}`;
}

const AUTHORITY = `
The gateway's certificate is self-made: that file, which lictor up makes, is for every client. Where it cannot be read, name a copy of it.
`;

/** The text as one word for a shell. */
function shellWord(text: string): string {
  return /^[\w./+@%:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function renderTokens(tokens: readonly TokenJson[], terminal: Terminal): string {
  const isNarrow = (terminalWidth(terminal) ?? WIDE) < WIDE;
  const named = (name: string, id: string): readonly string[] => (isNarrow ? [name] : [name, id]);
  const rows = tokens.map((token) => [
    ...named(token.name, token.id),
    token.role || '-',
    token.scope ?? 'everything',
    token.state,
    `${token.age_days} d`,
    token.expires_at?.slice(0, 10) ?? 'never',
    minute(token.last_used_at) ?? 'never',
    token.cidrs.join(',') || 'anywhere',
  ]);
  const table = renderTable([[...named('NAME', 'ID'), 'ROLE', 'ON', 'STATE', 'AGE', 'EXPIRES', 'LAST USED (UTC)', 'ALLOWED FROM'], ...rows], terminal);
  return `${table}${tokens.map(overlapLine).join('')}`;
}

/** During the overlap of a rotation: whether a client still uses the former secret. */
function overlapLine({ name, overlap_until: until, secrets: [, former] }: TokenJson): string {
  if (until === null || former === undefined) return '';
  const used = former.last_used_at === null ? 'was never used' : `was last used ${minute(former.last_used_at)} UTC from ${former.last_used_from ?? '-'}`;
  return `The former secret of ${name} is valid until ${second(until)} UTC, and ${used}.\n`;
}

export function renderAccessTokens(tokens: readonly StoredAccessToken[], terminal: Terminal): string {
  const rows = tokens
    .map(accessTokenJson)
    .map((token) => [token.id, [token.principal, ...token.on_behalf_of].join(' for '), minute(token.expires_at) ?? '-', token.given_for]);
  return renderTable([['ID', 'PRINCIPAL', 'UNTIL (UTC)', 'GIVEN FOR'], ...rows], terminal);
}

/** For a person who waits for it. */
function second(time: string): string {
  return time.slice(0, 19).replace('T', ' ');
}

function minute(time: string | null): string | undefined {
  return time?.slice(0, 16).replace('T', ' ');
}
