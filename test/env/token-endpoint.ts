// The token endpoint of an authorization server, as a client with client credentials meets it; it can be away, or take tokens back.
import { randomBytes } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { type SecureOptions, serveSecurely } from './service.ts';
import { noteSecret } from './stored-secrets.ts';

export interface TokenEndpoint {
  readonly url: string;
  /** How many tokens were asked for. */
  asked(): number;
  /** Whether an `Authorization` header shows the last token that was given. */
  takes(authorization: string | undefined): boolean;
  /** No token is good any more. */
  takeBack(): void;
  /** Answers 503 from now on, or gives tokens again. */
  setAway(away: boolean): void;
  close(): Promise<void>;
}

export interface Client {
  readonly id: string;
  readonly secret: string;
  /** How long a token is good. */
  readonly seconds: number;
}

export async function startTokenEndpoint(files: SecureOptions, { id, secret, seconds }: Client): Promise<TokenEndpoint> {
  const state = { asked: 0, away: false, last: '' };
  const answer: RequestListener = (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      state.asked += 1;
      const form = new URLSearchParams(body);
      const known = request.method === 'POST' && isClient(request.headers.authorization) && form.get('grant_type') === 'client_credentials';
      const [status, words] = state.away ? [503, {}] : known ? [200, give(form)] : [401, { error: 'invalid_client' }];
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(JSON.stringify(words));
    });
  };
  const isClient = (authorization = ''): boolean => {
    const shown = Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString();
    // RFC 6749, 2.3.1: both parts are form-encoded.
    return (
      shown
        .split(':')
        .map((part) => new URLSearchParams(`part=${part}`).get('part'))
        .join(':') === `${id}:${secret}`
    );
  };
  const give = (form: URLSearchParams): object => {
    const part = (): string => randomBytes(12).toString('base64url');
    // What stands in a query of it differs.
    state.last = `${part()}+/${part()}==`;
    noteSecret(state.last);
    return { access_token: state.last, token_type: 'Bearer', expires_in: seconds, scope: form.get('scope') };
  };
  const served = await serveSecurely(files, answer);
  return {
    url: `https://localhost:${served.port}/oauth/token`,
    asked: () => state.asked,
    takes: (authorization) => state.last !== '' && authorization === `Bearer ${state.last}`,
    takeBack: () => {
      state.last = '';
    },
    setAway: (away) => {
      state.away = away;
    },
    close: served.close,
  };
}
