// Client certificates after nginx has verified them: who they name, and when they prove nothing any more.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ClientAuthority, type ClientOptions, createClientAuthority } from '../../../../test/env/client-authority.ts';
import type { MtlsProvider } from '../../../config/config.ts';
import { createAuthenticator } from '../authenticator.ts';
import { anEdgeInput } from '../inputs.fixture.ts';
import { openTestStore } from '../store.fixture.ts';
import { createCertificates } from './certificates.ts';

const NOW_MS = Date.now();
let authority: ClientAuthority;
beforeAll(() => {
  authority = createClientAuthority();
});
afterAll(() => authority?.remove());

const escaped = (pem: Buffer) => encodeURIComponent(pem.toString());
const provider = (principalFrom: MtlsProvider['principalFrom']): MtlsProvider => ({ id: 'pki', type: 'mtls', principalFrom });
const open = (from: MtlsProvider['principalFrom'], more: { nowMs?: number; crlFile?: string } = {}) =>
  createCertificates({ provider: provider(from), crlFile: more.crlFile ?? null, clock: () => more.nowMs ?? NOW_MS });

describe('a certificate names', () => {
  const cases: readonly (readonly [MtlsProvider['principalFrom'], ClientOptions, string])[] = [
    ['san_uri', { names: ['URI:spiffe://acme/worker/a', 'DNS:a.example'] }, 'spiffe://acme/worker/a'],
    ['san_dns', { names: ['DNS:Worker-A.example', 'URI:spiffe://acme/x'] }, 'worker-a.example'],
    ['subject_cn', { subject: '/O=Acme/CN=Worker A' }, 'Worker A'],
  ];
  it.each(cases)('by %s', (from, options, name) => {
    const { cert } = authority.issue(options);
    const inspected = open(from)(escaped(cert));
    expect(inspected).toMatchObject({ ok: true, identity: { idp: 'pki', subject: name, name, kind: 'service' } });
    expect(inspected.ok && inspected.expiresAtMs - NOW_MS).toBeGreaterThan(8 * 86_400_000);
    expect(inspected.credentialId).toMatch(/^certificate:[0-9a-f]{16}$/);
  });

  const rejected: readonly (readonly [MtlsProvider['principalFrom'], ClientOptions])[] = [
    ['san_uri', { names: ['DNS:a.example'] }],
    ['san_uri', { names: ['URI:spiffe://acme/a', 'URI:spiffe://acme/admin'] }],
    ['san_dns', { names: ['DNS:a.example', 'DNS:b.example'] }],
    ['san_dns', { names: ['DNS:*.example'] }],
    ['san_dns', { subject: '/CN=a.example' }],
    ['subject_cn', { subject: '/CN=a/CN=admin' }],
    ['subject_cn', { subject: '/O=Acme' }],
    ['subject_cn', { subject: '/CN= admin' }],
    ['subject_cn', { subject: '/CN=*' }],
    ['san_uri', { names: ['URI:spiffe://acme/*'] }],
    ['san_dns', { names: ['DNS:a.*.example'] }],
  ];
  it.each(rejected)('proves no identity by %s of %j', (from, options) => {
    expect(open(from)(escaped(authority.issue(options).cert))).toMatchObject({ ok: false, reason: 'certificate-nameless' });
  });

  it('proves no identity with a name that could be two (a quoted list inside one URI)', () => {
    const { cert } = authority.issue({ names: ['URI:spiffe://acme/a\\, URI:spiffe://acme/admin'] });
    const inspected = open('san_uri')(escaped(cert));
    expect(inspected.ok && inspected.identity.name).not.toBe('spiffe://acme/admin');
  });
});

describe('a certificate proves nothing', () => {
  it('after its end', () => {
    const { cert } = authority.issue({ names: ['URI:spiffe://acme/a'], days: 1 });
    expect(open('san_uri')(escaped(cert)).ok).toBe(true);
    expect(open('san_uri', { nowMs: NOW_MS + 2 * 86_400_000 })(escaped(cert))).toMatchObject({ ok: false, reason: 'certificate-expired' });
  });

  it('once it is in a revocation list, also on an open connection', () => {
    const [bad, good] = [authority.issue({ names: ['URI:spiffe://acme/bad'] }), authority.issue({ names: ['URI:spiffe://acme/good'] })];
    const { crlFile } = authority;
    expect(open('san_uri', { crlFile })(escaped(bad.cert)).ok).toBe(true);
    authority.revoke(bad);
    expect(open('san_uri', { crlFile })(escaped(bad.cert))).toMatchObject({ ok: false, reason: 'certificate-revoked' });
    expect(open('san_uri', { crlFile })(escaped(good.cert)).ok).toBe(true);
  });

  it.each(['', '%', 'nonsense', '-----BEGIN%20CERTIFICATE-----%0AAAAA%0A-----END%20CERTIFICATE-----'])('when it cannot be read: %j', (text) => {
    expect(open('subject_cn')(text)).toMatchObject({ ok: false, reason: 'certificate-refused' });
  });

  it('if a list cannot be read: an outage, never an allow', () => {
    for (const crlFile of [authority.caFile, '/nonexistent']) expect(() => open('san_uri', { crlFile })).toThrow(/tls\.client_crl/);
  });
});

describe('beside other credentials', () => {
  it('it has a lower precedence than a token and a session, and a higher one than a first frame', async () => {
    const test = await openTestStore();
    const { cert } = authority.issue({ names: ['URI:spiffe://acme/a'] });
    const certificate = escaped(cert);
    const config = {
      agents: [],
      identityProviders: [provider('san_uri')],
      roles: [{ role: 'worker', members: ['user:spiffe://acme/a@pki'], scope: null }],
      sessions: { idleSeconds: 60, absoluteSeconds: 60 },
    };
    const authenticator = createAuthenticator({ store: test.store, config, clock: () => NOW_MS, steady: () => 0, certificates: open('san_uri') });
    const alone = await authenticator.authenticate(anEdgeInput({ certificate }));
    expect(alone).toMatchObject({
      ok: true,
      principal: { id: 'spiffe://acme/a@pki', kind: 'worker', idp: 'pki', roles: ['worker'] },
      credential: { carrier: 'certificate' },
    });
    expect(await authenticator.authenticateFrame('any:lct_whatever', anEdgeInput({ certificate }))).toMatchObject({ principal: { id: 'spiffe://acme/a@pki' } });
    // Nothing falls through from a bad one that comes first.
    expect(await authenticator.authenticate(anEdgeInput({ certificate, authorization: 'Bearer lct_bad' }))).toMatchObject({ ok: false });
    expect(await authenticator.authenticate(anEdgeInput({ certificate, session: 'x'.repeat(43) }))).toMatchObject({ ok: false, reason: 'session-expired' });
    // Without a provider no certificate is accepted.
    const without = createAuthenticator({ store: test.store, config, clock: () => NOW_MS, steady: () => 0 });
    expect(await without.authenticate(anEdgeInput({ certificate }))).toMatchObject({ ok: false, reason: 'certificate-refused' });
    await test.close();
  });
});
