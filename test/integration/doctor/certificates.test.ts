// Faults of certificates: a gateway over TLS, and the files alone while none runs.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority, type Issued } from '../../env/authority.ts';
import { type Gateway, startGateway } from '../../env/gateway.ts';
import { sharedPrefect } from '../../env/prefect.ts';
import { diagnose, linesOf } from './room.ts';

let authority: Authority;
let good: Issued;
let gateway: Gateway;
let idle: string;
beforeAll(async () => {
  authority = createAuthority();
  good = authority.issue({ names: ['localhost'], days: 30 });
  const { url, authString } = sharedPrefect();
  gateway = await startGateway({ upstream: { url, authString }, tls: { cert: good.chain, key: good.key } });
  idle = mkdtempSync(join(tmpdir(), 'lictor-test-doctor-'));
});
afterAll(async () => {
  await gateway?.close();
  authority?.remove();
  rmSync(idle, { recursive: true, force: true });
});

/** The certificates as they would be served, with a gateway that does not run. */
async function idleWith(tls: { readonly cert: string; readonly key: string }, more: Readonly<Record<string, unknown>> = {}) {
  const found = await diagnose(gateway, { stateDir: idle, config: { tls, ...more }, env: { SSL_CERT_FILE: authority.root } });
  return found.lines.filter(({ group, status }) => group === 'certificates' && status !== 'ok');
}

describe('certificates', () => {
  it('are fine for clients that know the authority, sockets too', async () => {
    const found = await diagnose(gateway, { env: { SSL_CERT_FILE: authority.root } });
    expect(found.failures).toEqual([]);
    expect(found.lines.filter(({ group }) => group === 'certificates').map(({ check }) => check)).toEqual(['expiry', 'name', 'chain', 'key']);
  });

  it('are named to be of an unknown authority, while everything else is still tried', async () => {
    const found = await diagnose(gateway);
    expect(found.failures).toEqual([expect.stringContaining('authority')]);
    expect(linesOf(found, 'certificates', 'chain')).toMatchObject([{ status: 'fail', remedy: expect.stringContaining('PREFECT_API_SSL_CERT_FILE') }]);
  });

  it('have nothing to say about a sound pair of files', async () => {
    expect(await idleWith({ cert: good.chain, key: good.key })).toEqual([]);
  });

  it('expired', async () => {
    const { chain, key } = authority.issue({ names: ['localhost'], days: -1 });
    expect(await idleWith({ cert: chain, key })).toMatchObject([{ check: 'expiry', status: 'fail', message: expect.stringContaining('expired on') }]);
  });

  it('about to expire: a hint', async () => {
    const { chain, key } = authority.issue({ names: ['localhost'], days: 5 });
    expect(await idleWith({ cert: chain, key })).toMatchObject([{ check: 'expiry', status: 'warn' }]);
  });

  it('for another name', async () => {
    const { chain, key } = authority.issue({ names: ['prefect.example.com'], days: 30 });
    expect(await idleWith({ cert: chain, key })).toMatchObject([{ check: 'name', status: 'fail', message: expect.stringContaining('not for localhost') }]);
  });

  it('without the intermediate', async () => {
    expect(await idleWith({ cert: good.leaf, key: good.key })).toMatchObject([
      { check: 'chain', status: 'fail', message: expect.stringContaining('incomplete') },
    ]);
  });

  it("with somebody else's key", async () => {
    const { key } = authority.issue({ names: ['localhost'], days: 30 });
    const found = await idleWith({ cert: good.chain, key });
    expect(found.map(({ message }) => message).join('\n')).toMatch(/does not belong to/);
  });

  it('served are another than the file', async () => {
    const renewed = authority.issue({ names: ['localhost'], days: 30 });
    const found = await diagnose(gateway, { config: { tls: { cert: renewed.chain, key: renewed.key } }, env: { SSL_CERT_FILE: authority.root } });
    expect(linesOf(found, 'certificates', 'key')).toMatchObject([{ status: 'warn', remedy: expect.stringContaining('SIGHUP') }]);
  });
});
