// For tests: a client that gets an authorization code at the gateway, and the person who allows it.
import { createHash } from 'node:crypto';
import type { useOwnApp } from './own-app.fixture.ts';
import { HTML } from './own-app.fixture.ts';

type Own = Pick<ReturnType<typeof useOwnApp>, 'ask' | 'post'>;
type Fields = Readonly<Record<string, string>>;
type Json = Record<string, unknown>;

export const MCP = 'http://localhost:8200/.lictor/mcp';
export const CALLBACK = 'https://inspector.example/callback';
export const VERIFIER = 'v'.repeat(43);
export const CLIENTS = [
  { id: 'inspector', name: 'MCP Inspector', redirectUris: [CALLBACK, 'http://127.0.0.1/callback', 'cursor://mcp/callback'] },
  { id: 'other', name: 'Other', redirectUris: ['https://other.example/callback'] },
];

export const REQUEST: Fields = {
  response_type: 'code',
  client_id: 'inspector',
  redirect_uri: CALLBACK,
  state: 'a b&c',
  scope: 'prefect:read prefect:run',
  resource: MCP,
  code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
  code_challenge_method: 'S256',
};

/** Without the parameters whose value is empty. */
function given(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ''));
}

export function codeClient({ ask, post }: Own) {
  const visit = (more: Fields = {}, session = '') =>
    ask(`/.lictor/oauth/authorize?${new URLSearchParams(given({ ...REQUEST, ...more }))}`, { session, headers: HTML });
  /** The sealed request that the page holds. */
  const requestOn = (body: string): string => /name="request" value="([^"]*)"/.exec(body)?.[1] ?? '';
  const decide = (request: string, session: string, decision = 'allow') => post('/.lictor/oauth/authorize', { request, decision }, { session });
  const tokens = async (fields: Fields): Promise<Json> => {
    const answer = await post('/.lictor/oauth/token', given(fields), { sameOrigin: false, headers: { accept: '*/*' } });
    return { statusCode: answer.statusCode, ...answer.json() };
  };
  /** What the client gets at its redirect URI. */
  const answerTo = async (session: string, more: Fields = {}): Promise<URLSearchParams> => {
    const shown = await visit(more, session);
    const done = await decide(requestOn(shown.body), session);
    if (done.statusCode !== 303) throw new Error(`${shown.statusCode}, ${done.statusCode}: ${done.body.slice(-800)}`);
    return new URL(String(done.headers.location)).searchParams;
  };
  const redeem = (code: unknown, more: Fields = {}) =>
    tokens({ grant_type: 'authorization_code', client_id: 'inspector', redirect_uri: CALLBACK, code_verifier: VERIFIER, code: String(code), ...more });
  return {
    ...{ visit, requestOn, decide, answerTo, redeem },
    /** The whole login, up to the tokens. */
    obtained: async (session: string, more: Fields = {}): Promise<Json> => redeem((await answerTo(session, more)).get('code')),
    refresh: (token: unknown, more: Fields = {}) => tokens({ grant_type: 'refresh_token', client_id: 'inspector', refresh_token: String(token), ...more }),
    revoke: (token: unknown) => post('/.lictor/oauth/revoke', { token: String(token) }, { sameOrigin: false, headers: { accept: '*/*' } }),
  };
}
