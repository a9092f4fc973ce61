import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Authority, createAuthority, type IssueOptions } from '../../../../../test/env/authority.ts';
import type { RunProgram } from '../../inside/nginx-version.ts';
import { type DeepCode, REMEDIES } from '../codes.ts';
import { addressProblems, checkNameAddresses } from './addresses.ts';
import { chainProblems } from './chain-problems.ts';
import { checkAsPython } from './check-python.ts';

let authority: Authority;
let stale: Authority;
beforeAll(() => {
  authority = createAuthority();
  stale = createAuthority({ intermediateDays: -1 });
});
afterAll(() => {
  authority.remove();
  stale.remove();
});

const certificate = (file: string): X509Certificate => new X509Certificate(readFileSync(file));
const issued = (options: Partial<IssueOptions> = {}, by = authority): string => by.issue({ names: ['localhost'], days: 30, ...options }).leaf;

describe('a chain', () => {
  const faults: readonly (readonly [DeepCode, () => readonly string[], RegExp])[] = [
    ['chain-order', () => [issued(), authority.root, authority.intermediate], /^certificate 1 of the chain \(CN=leaf-\d+\) is not signed by the one behind it/],
    ['intermediate-expired', () => [issued({}, stale), stale.intermediate], /^CN=intermediate, which signed the chain, expired on/],
    ['certificate-weak', () => [issued({ key: ['rsa:1024'] }), authority.intermediate], /has only 1024 bits/],
    ['certificate-weak', () => [issued({ digest: 'sha1' }), authority.intermediate], /is signed with .*SHA1/i],
    ['certificate-not-strict', () => [issued({ identifiers: false }), authority.intermediate], /lacks Authority Key Identifier/],
  ];

  it('that is sound has no problem, with its root or without', () => {
    const chain = [issued(), authority.intermediate, authority.root].map(certificate);
    expect(chainProblems(chain, Date.now())).toEqual([]);
    expect(chainProblems(chain.slice(0, 2), Date.now())).toEqual([]);
  });

  it.each(faults)('names %s', (code, files, says) => {
    const found = chainProblems(files().map(certificate), Date.now());
    expect(found).toEqual([{ status: 'fail', code, message: expect.stringMatching(says), remedy: REMEDIES[code] }]);
  });
});

describe('as Python sees it', () => {
  const python: RunProgram = (command, args) =>
    new Promise((resolve) => execFile(command, [...args], (error, stdout) => resolve(error === null ? stdout : null)));

  async function seen(
    options: Partial<IssueOptions>,
    { bundle, run = python, leafOnly = false }: { bundle: string | null; run?: RunProgram; leafOnly?: boolean },
  ) {
    const { chain, leaf, key } = authority.issue({ names: ['localhost'], days: 30, ...options });
    const server: Server = createServer({ cert: readFileSync(leafOnly ? leaf : chain), key: readFileSync(key) });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    try {
      return await checkAsPython({ publicUrl: { hostname: 'localhost', port }, run, bundle, certFile: chain, nowMs: Date.now() });
    } finally {
      server.close();
    }
  }

  it('accepts a sound chain, also the checks of Python 3.13', async () => {
    expect(await seen({}, { bundle: authority.root })).toEqual([
      { status: 'ok', remedy: null, message: expect.stringMatching(/^2 certificates of the chain .*; Python 3\.\d+\.\d+ accepts it$/) },
    ]);
  });

  it('names a chain that it cannot complete, and an authority that is not in its settings', async () => {
    expect(await seen({}, { bundle: authority.root, leafOnly: true })).toMatchObject([{ status: 'fail', code: 'python-rejects' }]);
    expect(await seen({}, { bundle: null })).toMatchObject([{ status: 'warn', code: 'authority-private', remedy: REMEDIES['authority-private'] }]);
  });

  it('is judged by the file where there is no Python', async () => {
    const none: RunProgram = async () => null;
    expect(await seen({}, { bundle: authority.root, run: none })).toMatchObject([{ status: 'ok', message: expect.stringContaining('no Python is here') }]);
    expect(await seen({ identifiers: false }, { bundle: authority.root, run: none })).toMatchObject([{ code: 'certificate-not-strict' }]);
  });
});

describe('the addresses of a name', () => {
  const ok = { error: null, fingerprint: 'A1' };

  it('answer alike, or the one that does not is named', () => {
    expect(
      addressProblems([
        { address: '192.0.2.1', ...ok },
        { address: '192.0.2.2', ...ok },
      ]),
    ).toEqual([]);
    expect(
      addressProblems([
        { address: '192.0.2.1', ...ok },
        { address: '2001:db8::1', error: 'ETIMEDOUT', fingerprint: '' },
      ]),
    ).toMatchObject([
      { status: 'fail', code: 'address-unreachable', message: expect.stringContaining('2001:db8::1'), remedy: REMEDIES['address-unreachable'] },
    ]);
    expect(
      addressProblems([
        { address: '192.0.2.1', ...ok },
        { address: '192.0.2.2', error: null, fingerprint: 'B2' },
      ]),
    ).toMatchObject([{ status: 'warn', code: 'address-differs', remedy: REMEDIES['address-differs'] }]);
  });

  it('are each tried, and need no check on this machine alone', async () => {
    const publicUrl = { origin: '', basePath: '', hostname: 'gateway.example', port: 9, secure: false };
    const lookup = async () => [
      { address: '127.0.0.1', family: 4 },
      { address: '127.0.0.2', family: 4 },
    ];
    expect(await checkNameAddresses(publicUrl, lookup)).toMatchObject([{ code: 'address-unreachable' }, { code: 'address-unreachable' }]);
    expect(await checkNameAddresses({ ...publicUrl, hostname: 'localhost' }, lookup)).toEqual([]);
  });
});
