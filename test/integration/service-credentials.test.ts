// The credentials that the gateway itself shows services: access tokens; and that nobody else gets to see them.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Authority, createAuthority } from '../env/authority.ts';
import { type Gateway, jsonLines, startGateway, type Token } from '../env/gateway.ts';
import { noteSecret } from '../env/kept-secrets.ts';
import { waitFor } from '../env/process.ts';
import { startTokenEndpoint, type TokenEndpoint } from '../env/token-endpoint.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { expectRefusal } from './attacks/harness.ts';

const SECRET = 'client-secret-$host"%-1234567890';
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-credentials-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text, { mode: 0o600 });
  return join(directory, name);
};
let authority: Authority;
let prefect: Recorder;
let api: Recorder;
let tokens: TokenEndpoint;
let gateway: Gateway;
let caller: Token;

beforeAll(async () => {
  authority = createAuthority();
  [prefect, api] = await Promise.all([startRecorder(), startRecorder()]);
  const own = authority.issue({ names: ['localhost'], days: 5 });
  tokens = await startTokenEndpoint(own, { id: 'the gateway', secret: SECRET, seconds: 3600 });
  noteSecret(SECRET);
  const client = { token_url: tokens.url, client_id: 'the gateway', client_secret_file: file('client', SECRET) };
  file('all.cedar', '@id("caller-calls")\npermit (principal == Principal::"token:caller", action == Action::"services.call", resource);\n');
  gateway = await startGateway({
    upstream: prefect,
    config: {
      policies: directory,
      limits: [{ for: '*', rate: '100000/s', burst: 100_000 }],
      services: [
        { name: 'tokens', servers: [api.url], inject: { oauth: { ...client, ca_file: authority.root, scope: 'rates' } } },
        { name: 'untrusted', servers: [api.url], inject: { oauth: client } },
        { name: 'stranger', servers: [api.url], inject: { oauth: { ...client, client_id: 'another', ca_file: authority.root } } },
      ],
    },
  });
  caller = await gateway.token('caller', ['viewer']);
});
beforeEach(() => {
  api.clear();
  api.answerWith(undefined);
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([prefect, api, tokens].map((server) => server?.close()));
  authority?.remove();
  rmSync(directory, { recursive: true });
});

const call = (path: string, init: Parameters<Gateway['fetch']>[1] = {}) => gateway.fetch(`/.lictor/svc${path}`, { token: caller.secret, ...init });
const shown = () => api.seen().map(({ headers }) => headers['authorization']);

async function records(...filters: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  return jsonLines(await gateway.lictorOk('audit', '--since', '10m', ...filters, '--json'));
}

describe('an access token of the gateway', () => {
  it('is what the service is shown in place of the caller, fetched once, over a private authority', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, place) => call(`/tokens/v1/${place}`)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    expect(shown().map((authorization) => tokens.takes(authorization))).toEqual(Array.from({ length: 10 }, () => true));
    expect(tokens.asked()).toBe(1);
    for (const answer of answers) expect([...answer.headers.keys()].filter((name) => /lictor-(?:credential|assertion)|^authorization/.test(name))).toEqual([]);
    const posted = await call('/tokens/v1/new', { method: 'POST', body: 'x', headers: { 'x-lictor-credential': 'Bearer mine' } });
    expect(posted.status).toBe(200);
    expect(api.seen().at(-1)?.headers).not.toHaveProperty('x-lictor-credential');
    expect(tokens.takes(shown().at(-1))).toBe(true);
  });

  it('is replaced when the service does not take it, without a reload, and that once', async () => {
    const pids = gateway.pids().workers;
    api.answerWith(({ headers }) => (tokens.takes(headers['authorization']) ? undefined : { status: 401, body: '{"who":"are you"}' }));
    tokens.takeBack();
    const asked = tokens.asked();
    await waitFor(async () => (await call('/tokens/v1/again')).status === 200, { what: 'another token', timeoutMs: 30_000, everyMs: 250 });
    expect(tokens.asked()).toBe(asked + 1);
    expect(gateway.pids().workers).toEqual(pids);
    // What the service says by itself is its own.
    api.answerWith(() => ({ status: 401, body: '{"not":"you"}' }));
    const refused = await call('/tokens/v1/again');
    expect([refused.status, await refused.json()]).toEqual([401, { not: 'you' }]);
    await records('--principal', 'token:caller');
    expect(tokens.asked()).toBe(asked + 1);
  });

  it.each(['untrusted', 'stranger'])('that cannot be had leaves the service uncalled: %s', async (service) => {
    await expectRefusal(await call(`/${service}/v1/x`), 503, 'service-credential-unavailable');
    const posted = await call(`/${service}/v1/x`, { method: 'POST', body: 'x' });
    expect([posted.status, posted.headers.get('retry-after'), posted.headers.get('prefect-maintenance')]).toEqual([503, '2', null]);
    expect(api.seen()).toEqual([]);
    const [record] = (await records('--principal', 'token:caller')).filter(({ service: name }) => name === service);
    expect(record).toMatchObject({ decision: 'allow', reason: 'service-credential-unavailable', status: 503, service });
    expect((await call('/tokens/v1/x')).status).toBe(200);
  });

  it('is told to nobody: of the client there is its refusal in the log, and no more', async () => {
    const log = readFileSync(join(gateway.stateDir, 'log', 'control.log'), 'utf8');
    expect(log).toContain('"service":"stranger"');
    expect(log).toContain('no access token for a service');
    expect(log).not.toContain(SECRET);
  });
});
