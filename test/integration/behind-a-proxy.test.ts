// docs/how-to/behind-a-proxy.md with nginx; behind it, what from-basic-auth.md and from-oauth2-proxy.md promise of Lictor, and what nginx did before.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Behind, behindAnyProxy, type Front, nginxOfPage, startBehind, startNginx } from '../env/behind-a-proxy.ts';
import { answerAsPrefect, chainFindings } from '../env/chain-behind.ts';
import { docsBlock, docsBlocks } from '../env/docs.ts';
import { freePort } from '../env/free-port.ts';
import { type Running, run } from '../env/process.ts';
import { diagnose } from './doctor/room.ts';

const BASIC = 'how-to/from-basic-auth.md';
const OAUTH2_PROXY = 'how-to/from-oauth2-proxy.md';
const BASIC_CHALLENGE = 'WWW-Authenticate: Basic realm="Prefect"';

let behind: Behind;
let front: Front;
let ready: () => Promise<boolean>;
let proxy: Running;
beforeAll(async () => {
  behind = await startBehind(async (...given) => {
    [front, ready] = given;
    proxy = await nginxOfPage(front, ready);
    return proxy;
  });
});
afterAll(() => behind?.close());

behindAnyProxy(() => behind);

/** What each `curl` of a page prints, at this port, with these variables. */
async function printed(page: string, port: number, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const commands = docsBlocks(page).filter((block) => block.startsWith('curl -s -o /dev/null'));
  const found: string[] = [];
  for (const command of commands) found.push(await curl(command, port, env));
  return found;
}

async function curl(command: string, port: number, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const script = command.replaceAll('https://prefect.example.com', `https://localhost:${port}`).replaceAll('curl ', 'curl -k ');
  return (await run({ name: 'curl', command: 'sh', args: ['-c', script], env: { PATH: process.env['PATH'], ...env } })).output.trim();
}

describe('docs/how-to/from-basic-auth.md', () => {
  let before: Running;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    const { directory, upstream } = behind;
    writeFileSync(join(directory, 'htpasswd'), `bob:${execFileSync('openssl', ['passwd', '-apr1', 'hunter-two'], { encoding: 'utf8' })}`);
    const front = { directory, port, to: Number(new URL(upstream.url).port), cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
    const ready = async () => (await curl("curl -s -o /dev/null -w '%{http_code}' https://prefect.example.com/", port)) === '401';
    before = await startNginx(front, docsBlock(BASIC, 'map $http_upgrade'), ready);
  });
  afterAll(() => before?.stop());

  it('shows each hole of nginx', async () => {
    expect(await printed(BASIC, port, { WHO: 'bob:hunter-two' })).toEqual(['200', '200', '200', '200', BASIC_CHALLENGE]);
    expect(await printed(BASIC, port, { WHO: 'bob:wrong' })).toEqual(['401', '401', '200', '200', BASIC_CHALLENGE]);
  });

  it('shows each of them closed by Lictor', async () => {
    const { secret } = await behind.gateway.token('bob-cli', ['operator']);
    behind.upstream.clear();
    expect(await printed(BASIC, behind.port, { WHO: `any:${secret}` })).toEqual(['403', '403', '401', '401', 'www-authenticate: Bearer realm="lictor"']);
    expect(behind.upstream.seen().filter(({ method }) => method !== 'GET')).toEqual([]);
    await behind.gateway.lictorOk('token', 'revoke', 'bob-cli');
    expect((await printed(BASIC, behind.port, { WHO: `any:${secret}` }))[0]).toBe('401');
  });
});

it('docs/how-to/from-oauth2-proxy.md shows each hole closed by Lictor', async () => {
  const { secret } = await behind.gateway.token('person', ['operator']);
  // Of an issuer that the gateway does not know; ci-page.test.ts has one of another project.
  const OTHER_PROJECT = 'eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl';
  const variables = { CREDENTIAL: `Authorization: Bearer ${secret}`, OTHER_PROJECT };
  expect(await printed(OAUTH2_PROXY, behind.port, variables)).toEqual(['401', '401', '401', '403', '200', '401']);
  await behind.gateway.lictorOk('token', 'revoke', 'person');
  expect(await printed(OAUTH2_PROXY, behind.port, variables)).toEqual(['401', '401', '401', '401', '401', '401']);
});

it('docs/how-to/audit.md and behind-a-proxy.md ask with a token', async () => {
  const { secret: TOKEN } = await behind.gateway.token('reads-the-ledger', ['auditor']);
  const answer = JSON.parse(await curl(docsBlock('how-to/audit.md', 'curl -H').replace('curl', 'curl -sS'), behind.port, { TOKEN }));
  expect(answer.records.map(({ decision }: { readonly decision: string }) => decision)).toContain('deny');
  const [forged = ''] = docsBlock('how-to/behind-a-proxy.md', 'curl -s -o').split('\n');
  await curl(forged, behind.port, { TOKEN });
  expect(await behind.gateway.lictorOk('audit', '--since', '5m')).not.toContain('203.0.113.7');
});

describe('lictor doctor --deep', () => {
  beforeAll(() => behind.upstream.answerWith(answerAsPrefect));
  afterAll(() => proxy?.stop());

  it('finds nothing wrong with the proxy of the page', async () => {
    const { lines, output } = await diagnose(behind.gateway, { env: { SSL_CERT_FILE: front.cert } }, ['--deep']);
    expect(lines.filter(({ code }) => code !== undefined)).toEqual([]);
    const deep = ['host', 'carriers', 'target', 'answers', 'bodies', 'client-address', 'login-redirect', 'cookies', 'plain-http', 'browser-sockets', 'python'];
    expect(lines.filter(({ check, status }) => deep.includes(check) && status === 'ok').map(({ check }) => check)).toEqual(deep);
    expect(output).not.toMatch(/lct_|gate:way/);
  });

  const FAULTS: readonly (readonly [codes: readonly string[], change: (server: string) => string, before?: string])[] = [
    [['host-changed'], (server) => server.replace('Host $host', 'Host prefect.internal')],
    [['address-forged'], (server) => server.replace('For $remote_addr', 'For $http_x_forwarded_for')],
    [['address-hidden'], (server) => server.replace('For $remote_addr', 'For ""')],
    [['path-rewritten'], (server) => server.replace(/(proxy_pass .*);/, '$1/;')],
    [['body-limited'], (server) => server.replace('client_max_body_size 0', 'client_max_body_size 1m')],
    [['body-buffered'], (server) => server.replace('proxy_request_buffering off', 'proxy_request_buffering on')],
    [
      ['error-replaced'],
      (server) =>
        server.replace(
          'location / {',
          'error_page 404 /own.html; location = /own.html { internal; return 404 "<html>"; } location / { proxy_intercept_errors on;',
        ),
    ],
    [['cookie-insecure', 'cookie-same-site'], (server) => server.replace('location / {', 'location / { proxy_cookie_flags ~ nosecure samesite=none;')],
    [['cookie-lost'], (server) => server.replace('location / {', 'location / { proxy_set_header Cookie "";')],
    [
      ['answers-shared'],
      (server) =>
        server
          .replace('proxy_buffering off', 'proxy_buffering on')
          .replace('location / {', 'location / { proxy_cache c; proxy_cache_valid 200 1m; proxy_ignore_headers Cache-Control Vary;'),
      'proxy_cache_path /etc/nginx/cache keys_zone=c:1m;',
    ],
  ];

  it.each(FAULTS.map((fault) => [fault[0].join(), fault] as const))('names %s', async (_name, [codes, change, before = '']) => {
    await proxy.stop();
    const server = change(docsBlock('how-to/behind-a-proxy.md', 'map $http_upgrade'));
    proxy = await startNginx(
      front,
      `${before}
${server}`,
      async () => (await behind.ask({ path: '/.lictor/ready' }).catch(() => undefined)) !== undefined,
    );
    const found = await chainFindings(behind, codes.includes('body-buffered') ? 300 : undefined);
    // The sockets of the UI repeat what carriers say.
    expect(
      found.flatMap(({ code }) => (code === undefined || code.startsWith('socket-') ? [] : [code])),
      JSON.stringify(found),
    ).toEqual(codes);
  });
});
