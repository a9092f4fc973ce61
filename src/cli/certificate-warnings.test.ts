import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority, type Issued } from '../../test/env/authority.ts';
import { ensureOwnCertificate } from '../config/certificates/own.ts';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { ownCertificatePaths, statePaths } from '../config/state-dir.ts';
import { main } from './main.ts';

let root: string;
let authority: Authority;
let issued: Issued;
beforeAll(() => {
  root = makeMemoryDir('lictor-certificate-');
  authority = createAuthority();
  issued = authority.issue({ names: ['prefect.example.com', '*.data.example.com', 'localhost'], days: 20 });
});
afterAll(() => {
  authority.remove();
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

/** The places that `lictor check --json` warns of, and its status. */
async function check(host: string, more = `tls: { cert: ${issued.chain}, key: ${issued.key} }`): Promise<unknown> {
  writeFileSync(join(root, 'lictor.yaml'), `public_url: https://${host}:8443\nprefect: { url: http://127.0.0.1:4200 }\n${more}\n`);
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({ args: ['--state-dir', root, 'check', '--json'], out, err, env: { ...process.env }, cwd: root, pause: async () => undefined });
  const lines = (await text(out.end())).trim().split('\n').filter(Boolean);
  return [status, ...lines.map((line) => JSON.parse(line)).map(({ path, severity, message }) => `${severity} ${path} ${message}`)];
}

describe('lictor check', () => {
  it.each(['other.example.com', 'a.b.data.example.com', 'data.example.com', '127.0.0.1', '[::1]'])('warns that the certificate is not for %s', async (host) => {
    const bare = host.replace(/^\[|\]$/g, '');
    expect(await check(host)).toEqual([0, expect.stringMatching(`^warning tls.cert the certificate is not for ${bare}: .*clients reject it$`)]);
  });

  it.each(['prefect.example.com', 'a.data.example.com', 'localhost'])('accepts it for %s', async (host) => {
    expect(await check(host)).toEqual([0]);
  });

  it.each(['192.0.2.7', '[2001:db8::7]'])('accepts a certificate for the address %s, and for no other', async (hostname) => {
    const paths = ownCertificatePaths(mkdtempSync(join(root, 'address-')));
    await ensureOwnCertificate({ publicUrl: { hostname }, paths, nowMs: Date.now() });
    const tls = `tls: { cert: ${paths.serverFile}, key: ${paths.serverFile} }`;
    expect(await check(hostname, tls)).toEqual([0]);
    expect(await check('192.0.2.8', tls)).toEqual([0, expect.stringContaining('not for 192.0.2.8')]);
  });

  it('is silent if clients see another certificate, or Lictor makes it', async () => {
    expect(await check('other.example.com', `tls: { cert: ${issued.chain}, key: ${issued.key} }\ntrusted_proxies: [10.0.0.0/8]`)).toEqual([0]);
    expect(await check('other.example.com', 'tls: { self_made: true }')).toEqual([0]);
  });
});
