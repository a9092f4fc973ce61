// docs/how-to/behind-a-proxy.md with nginx; behind it, what from-basic-auth.md and from-oauth2-proxy.md promise of Lictor, and what nginx did before.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Behind, behindAnyProxy, nginxOfPage, startBehind, startNginx } from '../env/behind-a-proxy.ts';
import { docsBlock, docsBlocks } from '../env/docs.ts';
import { freePort } from '../env/free-port.ts';
import { type Running, run } from '../env/process.ts';

const BASIC = 'how-to/from-basic-auth.md';
const OAUTH2_PROXY = 'how-to/from-oauth2-proxy.md';
const BASIC_CHALLENGE = 'WWW-Authenticate: Basic realm="Prefect"';

let behind: Behind;
beforeAll(async () => {
  behind = await startBehind(nginxOfPage);
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
