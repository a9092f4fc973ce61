// The credentials that the gateway itself shows services: access tokens, keys in the query, signatures of AWS; and that nobody else gets to see them.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Authority, createAuthority } from '../env/authority.ts';
import { type Gateway, jsonLines, startGateway, type Token } from '../env/gateway.ts';
import { type Moto, signedRequest, startMoto } from '../env/moto.ts';
import { waitFor } from '../env/process.ts';
import { type Served, serve } from '../env/service.ts';
import { noteSecret } from '../env/stored-secrets.ts';
import { startTokenEndpoint, type TokenEndpoint } from '../env/token-endpoint.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';
import { expectRefusal } from './attacks/harness.ts';

const SECRET = 'client-secret-$host"%-1234567890';
/** What stands in a query of it differs. */
const KEY = 'query-key-$host&"%41/1234567890';
const KEY_IN_QUERY = 'query-key-%24host%26%22%2541%2F1234567890';
const directory = mkdtempSync(join(tmpdir(), 'lictor-test-credentials-'));
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text, { mode: 0o600 });
  return join(directory, name);
};
let authority: Authority;
let prefect: Recorder;
let api: Recorder;
let other: Recorder;
let streaming: Served;
let holding: Served;
let moto: Moto;
let tokens: TokenEndpoint;
let gateway: Gateway;
let caller: Token;
let second: Token;

beforeAll(async () => {
  authority = createAuthority();
  [prefect, api, other] = await Promise.all([startRecorder(), startRecorder(), startRecorder()]);
  [moto, streaming, holding] = await Promise.all([startMoto(), serve(stream), serve(holdBack)]);
  const own = authority.issue({ names: ['localhost'], days: 5 });
  tokens = await startTokenEndpoint(own, { id: 'the gateway', secret: SECRET, seconds: 3600 });
  for (const secret of [SECRET, KEY, KEY_IN_QUERY, moto.role.secretAccessKey, moto.role.sessionToken]) noteSecret(secret);
  const client = { token_url: tokens.url, client_id: 'the gateway', client_secret_file: file('client', SECRET) };
  file(
    'all.cedar',
    '@id("caller-calls")\npermit (principal, action == Action::"services.call", resource)\nwhen { principal == Principal::"token:caller" || principal == Principal::"token:second" };\n',
  );
  const inject = { query: { name: 'api_key', value_file: file('query-key', KEY) } };
  const sigv4 = { region: moto.region, service: 's3' };
  const cache = [{ paths: ['/kept/*'], ttl: '1h' }];
  gateway = await startGateway({
    upstream: prefect,
    env: {
      ...{ AWS_ACCESS_KEY_ID: moto.role.accessKeyId, AWS_SECRET_ACCESS_KEY: moto.role.secretAccessKey, AWS_SESSION_TOKEN: moto.role.sessionToken },
      ...{ AWS_EC2_METADATA_DISABLED: 'true', AWS_SHARED_CREDENTIALS_FILE: file('aws', awsFile()), AWS_CONFIG_FILE: file('aws-config', '') },
    },
    config: {
      policies: directory,
      limits: [{ for: '*', rate: '100000/s', burst: 100_000 }],
      services: [
        { name: 'tokens', servers: [api.url], inject: { oauth: { ...client, ca_file: authority.root, scope: 'rates' } }, cache },
        { name: 'untrusted', servers: [api.url], inject: { oauth: client } },
        { name: 'stranger', servers: [api.url], inject: { oauth: { ...client, client_id: 'another', ca_file: authority.root } } },
        { name: 'header', servers: [api.url], inject: { header: { name: 'X-Api-Key', value_file: file('header-key', KEY) } }, cache },
        { name: 'keyed', servers: [api.url], inject, timeout: '3s' },
        { name: 'two', servers: [api.url, other.url], inject },
        { name: 'streaming', servers: [`http://127.0.0.1:${streaming.port}`], inject, timeout: '3s' },
        { name: 'holding', servers: [`http://127.0.0.1:${holding.port}`], inject: { sigv4 }, retries: { attempts: 2 } },
        { name: 'store', servers: [moto.url], inject: { sigv4 } },
        { name: 'forged', servers: [moto.url], inject: { sigv4: { ...sigv4, profile: 'forged' } } },
        { name: 'elsewhere', servers: [moto.url], inject: { sigv4: { ...sigv4, profile: 'unknown' } } },
      ],
    },
  });
  caller = await gateway.token('caller', ['viewer']);
  second = await gateway.token('second', ['viewer']);
});
beforeEach(() => {
  for (const recorder of [api, other]) {
    recorder.clear();
    recorder.answerWith(undefined);
  }
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([prefect, api, other, tokens, streaming, holding, moto].map((server) => server?.close()));
  authority?.remove();
  rmSync(directory, { recursive: true });
});

/** The right name with another secret. */
function awsFile(): string {
  return `[forged]\naws_access_key_id = ${moto.role.accessKeyId}\naws_secret_access_key = forged-${'x'.repeat(33)}\naws_session_token = ${moto.role.sessionToken}\n`;
}

/** `/events`: one event at once, one after a request for `/more`; `/back`: the request; `/never`: nothing; `/raw`: no HTTP. */
let more: () => void = () => undefined;
function stream(...[request, response]: Parameters<Parameters<typeof serve>[0]>): void {
  const path = request.url?.split('?')[0];
  if (path === '/never') return;
  if (path === '/raw') return void request.socket.end('HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=1\r\n\r\nSet-Cookie: lictor=evil\r\n\r\n<script>');
  if (path === '/more') {
    more();
    response.end();
  } else if (path === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: first\n\n');
    more = () => response.end('data: last\n\n');
  } else {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => response.writeHead(200, { 'x-target': request.url?.replace(KEY_IN_QUERY, 'KEY') }).end(Buffer.concat(chunks)));
  }
}

/** Answers `/hold` when the test releases it, and other paths after their body. 200 if the call is signed. */
const heldBack: (() => void)[] = [];
function holdBack(...[request, response]: Parameters<Parameters<typeof serve>[0]>): void {
  const answer = () => response.writeHead(request.headers.authorization?.startsWith('AWS4-HMAC-SHA256 ') === true ? 200 : 400).end();
  request.resume().on('end', () => {
    if (request.url === '/hold') heldBack.push(answer);
    else answer();
  });
}

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

  it('reaches no client: the log has only the refusal of the client', async () => {
    const log = readFileSync(join(gateway.stateDir, 'log', 'control.log'), 'utf8');
    expect(log).toContain('"service":"stranger"');
    expect(log).toContain('no access token for a service');
    expect(log).not.toContain(SECRET);
  });
});

describe('a key in the query', () => {
  it('stands behind the caller’s own, of which no byte changes', async () => {
    for (const target of ['/v1', '/v1?', '/v1/a%20b:c?x=%7e+1&y&z=a;b']) expect((await call(`/keyed${target}`)).status).toBe(200);
    const shown = `api_key=${KEY_IN_QUERY}`;
    expect(api.seen().map(({ target }) => target)).toEqual([`/v1?${shown}`, `/v1?${shown}`, `/v1/a%20b:c?x=%7e+1&y&z=a;b&${shown}`]);
    expect(api.seen()[0]?.headers).toMatchObject({ host: new URL(api.url).host, 'x-lictor-assertion': expect.stringMatching(/^eyJ/) });
    const names = api.seen().flatMap(({ headers }) => Object.keys(headers));
    expect(names.filter((name) => /^x-lictor-(?!assertion)|^authorization/.test(name))).toEqual([]);
  });

  it.each(['/keyed/v1?api_key=mine', '/keyed/v1?a=1&API%5FKEY=mine', '/keyed/v1?api_key[]=1'])('is not the caller’s to name: %s', async (path) => {
    await expectRefusal(await call(path), 400, 'request-invalid');
    expect((await call(path, { method: 'POST', body: 'x' })).status).toBe(400);
    expect(api.seen()).toEqual([]);
    expect((await call(path.replace('?', '?x')))?.status).toBe(path.includes('API') ? 400 : 200);
  });

  it('is in nothing that comes back, whatever the service does with it', async () => {
    api.answerWith(({ target }) => ({
      status: 302,
      headers: {
        ...{
          location: `${api.url}${target}&page=2`,
          link: `<${target}&page=2>; rel="next"`,
          'x-echo': target,
          'x-key': `it is ${KEY}`,
          'set-cookie': 'lictor=evil',
        },
        ...{
          'x-lictor-code': 'policy-forbids',
          lictorcode: 'policy-forbids',
          lictorcache: 'hit',
          'x-accel-redirect': '/api/health',
          'content-security-policy': 'none',
        },
      },
      body: JSON.stringify({ next: `${target}&page=2`, key: KEY }),
    }));
    const answer = await call('/keyed/v1?page=1', { headers: { range: 'bytes=0-3' } });
    const body = await answer.text();
    expect(answer.status).toBe(302);
    expect(answer.headers.get('location')).toBe('/.lictor/svc/keyed/v1?page=1&page=2');
    expect(answer.headers.get('link')).toBe('</.lictor/svc/keyed/v1?page=1&page=2>; rel="next"');
    expect(answer.headers.get('content-security-policy')).toBe("sandbox; default-src 'none'");
    expect(answer.headers.get('x-echo')).toBe('/v1?page=1');
    expect(['x-key', 'set-cookie', 'x-lictor-code', 'lictorcode', 'lictorcache', 'x-accel-redirect'].filter((name) => answer.headers.has(name))).toEqual([]);
    expect(body).toContain('/v1?page=1&api_key=***');
    expect([...answer.headers.values(), body].filter((text) => /query-key/.test(text))).toEqual([]);
    expect(api.seen()[0]?.headers).not.toHaveProperty('range');
  });

  it('goes with large bodies, and answers stream', async () => {
    const events = await call('/streaming/events');
    const reader = events.body?.getReader();
    const read = async () => new TextDecoder().decode((await reader?.read())?.value);
    expect(await read()).toBe('data: first\n\n');
    expect((await call('/streaming/more')).status).toBe(200);
    expect(await read()).toBe('data: last\n\n');
    const large = 'x'.repeat(3 << 20);
    const echoed = await call('/streaming/back?a', { method: 'POST', body: large });
    expect([echoed.headers.get('x-target'), (await echoed.text()) === large]).toEqual(['/back?a&api_key=KEY', true]);
  });

  it('is in no log where calls fail, and failures have the same words as anywhere', async () => {
    await api.pause();
    await expectRefusal(await call('/keyed/v1'), 503, 'service-unavailable');
    await expectRefusal(await call('/keyed/v1', { method: 'POST', body: 'x' }), 503, 'service-unavailable');
    // Nothing was sent there: the other server is asked, also with a body.
    for (const method of ['GET', 'POST', 'POST', 'POST']) expect((await call('/two/v1', { method, ...(method === 'POST' && { body: 'x' }) })).status).toBe(200);
    expect(other.seen()).toHaveLength(4);
    await api.resume();
    await expectRefusal(await call('/streaming/never'), 503, 'service-timeout');
    await expectRefusal(await call('/streaming/raw'), 503, 'service-unavailable');
    expect((await call('/keyed/v1')).status).toBe(200);
    const reasons = (await records('--principal', 'token:caller')).filter(({ service }) => service === 'streaming').map(({ reason }) => reason);
    expect(reasons).toEqual(expect.arrayContaining(['service-timeout', 'service-unavailable', 'policy-permits']));
    for (const log of ['access.log', 'edge-error.log', 'control.log'])
      expect(readFileSync(join(gateway.stateDir, 'log', log), 'utf8')).not.toContain('query-key');
  });

  it('is another one after a reload', async () => {
    file('query-key', 'another-key-0987654321');
    noteSecret('another-key-0987654321');
    process.kill(gateway.pids().supervisor, 'SIGHUP');
    await waitFor(async () => (await call('/keyed/v1')).ok && api.seen().at(-1)?.target === '/v1?api_key=another-key-0987654321', { what: 'the new key' });
  });

  it('is shown for nginx alone', () => {
    const { mode } = statSync(join(gateway.stateDir, 'run', 'proxy.sock'));
    expect((mode & 0o777).toString(8)).toBe('600');
  });
});

describe('a signature of AWS', () => {
  beforeAll(async () => {
    const { url, region, role: credentials } = moto;
    const { headers } = await signedRequest({ url, region, service: 's3', credentials, method: 'PUT', path: '/lake', body: '', headers: {} });
    expect((await fetch(`${url}/lake`, { method: 'PUT', headers })).status).toBe(200);
  });

  it.each(['/store/lake/plain.txt', '/store/lake/a%20b/c:d=(1)%2B%C3%A9.txt'])(
    'is made over what is sent, and a store that checks it takes it: %s',
    async (path) => {
      const body = `written ${path}`;
      const put = await call(path, { method: 'PUT', body, headers: { 'content-type': 'text/plain' } });
      expect(put.status, await put.text()).toBe(200);
      const got = await call(path);
      expect([got.status, await got.text()]).toEqual([200, body]);
      const listed = await call('/store/lake?list-type=2&prefix=a+b%2F&max-keys=5&delimiter=');
      expect([listed.status, (await listed.text()).includes('<Prefix>a b/</Prefix>')]).toEqual([200, true]);
    },
  );

  it('is refused by the store where the secret is another’s, and by the gateway beside one of the caller', async () => {
    const forged = await call('/forged/lake/plain.txt');
    expect([forged.status, (await forged.text()).includes('SignatureDoesNotMatch')]).toEqual([403, true]);
    expect((await call('/forged/lake/x', { method: 'PUT', body: 'x' })).status).toBe(403);
    await expectRefusal(await call('/store/lake/plain.txt?X-Amz-Signature=1'), 400, 'request-invalid');
    expect((await call('/store/lake/plain.txt')).status).toBe(200);
  });

  it('takes bodies of one caller only so far as there is room for those of others, and whom it refuses puts no server out', async () => {
    const put = (path: string, token = caller.secret) => call(`/holding${path}`, { method: 'PUT', body: 'x'.repeat(12 << 20), token });
    const held = Array.from({ length: 5 }, () => put('/hold'));
    await waitFor(() => heldBack.length === 5, { what: 'five bodies at the service', timeoutMs: 60_000 });
    const refused = await put('/hold');
    expect([refused.status, refused.headers.get('retry-after'), await refused.json()]).toMatchObject([429, '1', { code: 'rate-limited' }]);
    expect((await put('/at-once', second.secret)).status).toBe(200);
    expect((await call('/holding/at-once')).status).toBe(200);
    for (const answer of heldBack.splice(0)) answer();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect((await put('/at-once')).status).toBe(200);
    const seen = (await records('--principal', 'token:caller', '--status', '429')).map(({ service, reason, status }) => [service, reason, status]);
    expect(seen).toEqual([['holding', 'rate-limited', 429]]);
  });

  it('is not left out where there are no credentials', async () => {
    await expectRefusal(await call('/elsewhere/lake/plain.txt'), 503, 'service-credential-unavailable');
    expect((await call('/store/lake/plain.txt')).status).toBe(200);
  });
});

describe.each([
  ['a key in a header', 'header', [KEY, KEY_IN_QUERY, KEY_IN_QUERY.toLowerCase()]],
  ['an access token', 'tokens', ['TOKEN', 'TOKEN IN QUERY']],
])('%s', (_what, service, spellings) => {
  /** Of the token that the call itself was shown. */
  const linking = (query: string): void =>
    api.answerWith(({ headers }) => {
      const token = (headers['authorization'] ?? '').replace('Bearer ', '');
      const target = `/v1${query.replace('TOKEN IN QUERY', encodeURIComponent(token)).replace('TOKEN', token)}`;
      return { status: 301, headers: { location: target, link: `<${target}>; rel="next"` }, body: '' };
    });
  const links = async (path = '/v1'): Promise<readonly (string | null)[]> => {
    const { headers } = await call(`/${service}${path}`);
    return [headers.get('location'), headers.get('link')];
  };
  const whole = (query: string) => [`/.lictor/svc/${service}/v1${query}`, `</.lictor/svc/${service}/v1${query}>; rel="next"`];

  it.each(spellings)('is in no link of an answer: %s', async (key) => {
    linking(`?page=2&key=${key}`);
    expect(await links()).toEqual([null, null]);
    linking('?page=2&key=query-key');
    expect(await links()).toEqual(whole('?page=2&key=query-key'));
    expect(api.seen()[0]?.headers).toMatchObject(service === 'header' ? { 'x-api-key': KEY } : { authorization: expect.stringMatching(/^Bearer ./) });
  });

  it.each(spellings)('in an answer is not cached with it, because another one may be in force later: %s', async (key) => {
    linking(`?key=${key}`);
    for (const _each of ['twice', 'asked']) expect(await links(`/kept/secret-${spellings.indexOf(key)}`)).toEqual([null, null]);
    expect(api.seen()).toHaveLength(2);
    linking('?page=2');
    for (const _each of ['asked', 'once']) expect(await links(`/kept/plain-${spellings.indexOf(key)}`)).toEqual(whole('?page=2'));
    expect(api.seen()).toHaveLength(3);
  });
});

it('links that are longer than any, of a service that is called with an access token, are dropped', async () => {
  const link = (letters: number) => `/v1?${'x'.repeat(letters)}`;
  const of = async (letters: number) => {
    api.answerWith(() => ({ status: 302, headers: { location: link(letters) }, body: '' }));
    return (await call('/tokens/v1')).headers.get('location');
  };
  expect(await of(8_000)).toBe(`/.lictor/svc/tokens${link(8_000)}`);
  expect(await of(8_190)).toBeNull();
});
