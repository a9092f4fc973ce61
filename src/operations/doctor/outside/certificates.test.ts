import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority, type Issued } from '../../../../test/env/authority.ts';
import { bundleFile, trustedAuthorities } from '../../../config/authorities.ts';
import { checkChain, checkExpiry, checkFiles, checkName, fetchServed } from './certificates.ts';
import { probe } from './http-probe.ts';
import { tokenTrust, upstreamTrust } from './trust.ts';

const DAY_MS = 86_400_000;
let authority: Authority;
let good: Issued;
let expired: Issued;
beforeAll(() => {
  authority = createAuthority();
  good = authority.issue({ names: ['localhost'], days: 20 });
  expired = authority.issue({ names: ['localhost'], days: -1 });
});
afterAll(() => authority.remove());

const certificate = (file: string) => new X509Certificate(readFileSync(file));

async function served(files: { readonly cert: string; readonly key: string }, authorities: readonly string[]) {
  const server: Server = createServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) });
  try {
    return await fetchServed({ hostname: 'localhost', port: await listening(server), authorities });
  } finally {
    server.close();
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

describe('a certificate', () => {
  it('is valid, soon over, over, or not valid yet', () => {
    const { validFromDate, validToDate } = certificate(good.leaf);
    const at = (ms: number) => checkExpiry({ validFromDate, validToDate }, ms);
    expect(at(validToDate.getTime() - 15 * DAY_MS)).toMatchObject({ status: 'ok' });
    expect(at(validToDate.getTime() - 3.5 * DAY_MS)).toMatchObject({ status: 'warn', message: expect.stringContaining('in 3 days') });
    expect(at(validToDate.getTime())).toMatchObject({ status: 'fail', message: expect.stringContaining('expired on') });
    expect(at(validFromDate.getTime() - 1000)).toMatchObject({ status: 'fail', message: expect.stringContaining('not valid before') });
    expect(checkExpiry(certificate(expired.leaf), Date.now())).toMatchObject({ status: 'fail' });
  });

  it('names its host', () => {
    expect(checkName(certificate(good.leaf), 'localhost')).toMatchObject({ status: 'ok' });
    expect(checkName(certificate(good.leaf), 'prefect.example.com')).toMatchObject({ status: 'fail', message: expect.stringContaining('DNS:localhost') });
    expect(checkName(certificate(good.leaf), '127.0.0.1')).toMatchObject({ status: 'fail' });
  });

  it('has a whole chain to a known authority, or it is said what is missing', async () => {
    const root = readFileSync(authority.root, 'utf8');
    const chainOf = async (cert: string, authorities: readonly string[]) =>
      checkChain((await served({ cert, key: good.key }, authorities)).chainProblem, 'ca.pem');
    expect(await chainOf(good.chain, [root])).toMatchObject({ status: 'ok' });
    expect(await chainOf(good.leaf, [root])).toMatchObject({ status: 'fail', remedy: expect.stringContaining('intermediate') });
    expect(await chainOf(good.chain, trustedAuthorities({}))).toMatchObject({ status: 'fail', remedy: expect.stringContaining('PREFECT_API_SSL_CERT_FILE') });
    const late = await served({ cert: expired.chain, key: expired.key }, [root]);
    expect(checkChain(late.chainProblem, undefined)).toMatchObject({ status: 'ok' });
  });

  it('has its own key, and is the one that is served', () => {
    const files = { certFile: good.chain, keyFile: good.key };
    expect(checkFiles(files, certificate(good.leaf))).toMatchObject({ status: 'ok' });
    expect(checkFiles(files, undefined)).toMatchObject({ status: 'ok' });
    expect(checkFiles(files, certificate(expired.leaf))).toMatchObject({ status: 'warn', remedy: expect.stringContaining('SIGHUP') });
    expect(checkFiles({ ...files, keyFile: expired.key }, undefined)).toMatchObject({ status: 'fail', message: expect.stringContaining('does not belong') });
  });
});

describe('trust', () => {
  it('is the bundle that Python would use, else the machine', () => {
    expect(bundleFile({ SSL_CERT_FILE: 'a', PREFECT_API_SSL_CERT_FILE: 'b' })).toBe('b');
    expect(bundleFile({ SSL_CERT_FILE: '' })).toBeUndefined();
    expect(trustedAuthorities({ SSL_CERT_FILE: authority.root })).toEqual([readFileSync(authority.root, 'utf8')]);
    expect(trustedAuthorities({ SSL_CERT_FILE: '/nonexistent' })).toEqual([]);
    const ofMachine = trustedAuthorities({});
    expect(ofMachine.length).toBeGreaterThan(10);
    expect(new Set(ofMachine).size).toBe(ofMachine.length);
  });

  it('shows the token to exactly our own certificate, whatever its name, and to no other of the same issuer', async () => {
    const mine = authority.issue({ names: ['elsewhere.example'], days: 5 });
    const other = authority.issue({ names: ['elsewhere.example'], days: 5 });
    const ask = async ({ chain, key }: Issued) => {
      const server = createHttpsServer({ cert: readFileSync(chain), key: readFileSync(key) }, (_request, response) => response.end('{}'));
      try {
        return await probe({ url: `https://localhost:${await listening(server)}/`, tls: tokenTrust([], mine.chain) });
      } finally {
        server.close();
      }
    };
    expect(await ask(mine)).toMatchObject({ ok: true, status: 200 });
    expect(await ask(other)).toMatchObject({ ok: false });
  });

  it('takes the authority of Prefect from its own file', () => {
    expect(upstreamTrust(['system'], null).ca).toEqual(['system']);
    expect(upstreamTrust(['system'], authority.root).ca).toEqual([readFileSync(authority.root, 'utf8')]);
  });
});
