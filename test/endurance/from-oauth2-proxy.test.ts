// docs/how-to/from-oauth2-proxy.md with the real oauth2-proxy: each hole is open before. test/integration/behind-a-proxy.test.ts shows them closed by Lictor.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOauth2Proxy, logIn, passwordLine } from '../../bench/oauth2-proxy.ts';
import { GITLAB } from '../../src/identity/authn/jwt/shapes.fixture.ts';
import { type OpenIdProvider, startOpenIdProvider } from '../../src/identity/authn/oidc/openid-provider.fixture.ts';
import { docsBlock, docsBlocks } from '../env/docs.ts';
import { freePort } from '../env/free-port.ts';
import { type Running, run, start } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const PAGE = 'how-to/from-oauth2-proxy.md';
const PASSWORD = 'a-password-of-the-test';
/** docs/how-to/bench.md says how to build it. */
const binary = findOauth2Proxy(process.env);

describe.skipIf(binary === undefined)('behind oauth2-proxy', () => {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-oauth2-proxy-'));
  let url: string;
  let provider: OpenIdProvider;
  let upstream: Recorder;
  let proxy: Running;
  beforeAll(async () => {
    [provider, upstream] = await Promise.all([startOpenIdProvider([]), startRecorder()]);
    url = `http://127.0.0.1:${await freePort()}`;
    writeFileSync(join(directory, 'client-secret'), 'any');
    writeFileSync(join(directory, 'cookie-secret'), '0123456789abcdef');
    writeFileSync(join(directory, 'people'), passwordLine('bench', PASSWORD));
    const text = docsBlock(PAGE, 'provider = "oidc"')
      .replaceAll('/etc/oauth2-proxy', directory)
      .replace('https://idp.example.com/realms/data', provider.issuer)
      .replace('https://gitlab.example.com', provider.issuer)
      .replace('https://prefect.example.com', url)
      .replace('127.0.0.1:4180', new URL(url).host)
      .replace('http://127.0.0.1:4200', upstream.url);
    const file = join(directory, 'proxy.cfg');
    writeFileSync(file, `${text}cookie_secure = false\nhtpasswd_file = "${join(directory, 'people')}"\n`);
    const ready = async () => (await fetch(`${url}/ping`)).ok;
    proxy = await start({ name: 'oauth2-proxy', command: binary ?? '', args: ['--config', file], env: process.env, ready });
  });
  afterAll(async () => {
    await proxy?.stop();
    await provider?.close();
    await upstream?.close();
    rmSync(directory, { recursive: true });
  });

  it('shows each hole', async () => {
    const CREDENTIAL = `Cookie: ${await logIn(url, PASSWORD)}`;
    const times = { iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 300 };
    const job = { ...GITLAB, project_path: 'mallory/etl', iss: provider.issuer, aud: 'prefect.example.com', ...times };
    const env = { PATH: process.env['PATH'], CREDENTIAL, OTHER_PROJECT: await provider.sign(job) };
    const printed: string[] = [];
    for (const command of docsBlocks(PAGE).filter((block) => block.startsWith('curl '))) {
      const script = command.replace('https://prefect.example.com', url);
      printed.push((await run({ name: 'curl', command: 'sh', args: ['-c', script], env })).output.trim());
    }
    expect(printed).toEqual(['200', '200', '200', '200', '200', '200']);
  });

  it('rejects a request without a credential that no exception matches', async () => {
    upstream.clear();
    expect((await fetch(`${url}/api/deployments/filter`, { method: 'POST', body: '{}', redirect: 'manual' })).status).toBe(403);
    expect(upstream.seen()).toEqual([]);
  });
});
