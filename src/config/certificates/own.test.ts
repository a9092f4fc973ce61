// The certificate of the gateway's own: made once, renewed in time, and files that are not ours are left alone.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OwnCertificatePaths, ownCertificatePaths } from '../state-dir.ts';
import { certificateHosts } from './hosts.ts';
import { makeAuthority, makeServerCertificate } from './make.ts';
import { ensureOwnCertificate } from './own.ts';
import { aheadProblem } from './read.ts';

const DAY_MS = 86_400_000;
const NOW_MS = Date.now();

let root: string;
let paths: OwnCertificatePaths;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lictor-own-'));
  paths = ownCertificatePaths(root);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const ensure = (hostname = 'prefect.example.com', nowMs = NOW_MS) => ensureOwnCertificate({ publicUrl: { hostname }, paths, nowMs });
const certificate = (file = paths.serverFile) => new X509Certificate(readFileSync(file));
const contents = () => Object.fromEntries(readdirSync(paths.dir).map((name) => [name, readFileSync(join(paths.dir, name), 'utf8')]));

/** What Python 3.13 asks of a chain by default. */
function verifies(leaf: string, more: readonly string[] = []): boolean {
  try {
    execFileSync('openssl', ['verify', '-x509_strict', '-purpose', 'sslserver', ...more, '-CAfile', paths.caFile, leaf], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

describe('a self-made certificate', () => {
  it.each([
    ['prefect.example.com', 'DNS:prefect.example.com', ['-verify_hostname', 'prefect.example.com']],
    ['localhost', 'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1', ['-verify_ip', '::1']],
    ['192.0.2.7', 'IP Address:192.0.2.7', ['-verify_ip', '192.0.2.7']],
    ['[2001:db8::7]', 'IP Address:2001:DB8:0:0:0:0:0:7', ['-verify_ip', '2001:db8::7']],
  ])('is made for %s, and verifies by its authority', async (hostname, names, more) => {
    expect(await ensure(hostname)).toEqual({ made: 'authority', formerDir: null });
    expect(certificate().subjectAltName).toBe(names);
    expect(verifies(paths.serverFile, more)).toBe(true);
    expect(verifies(paths.serverFile, ['-verify_hostname', 'other.example.com'])).toBe(false);
    expect(certificate().validToDate.getTime() - NOW_MS).toBeLessThan(398 * DAY_MS);
  });

  it("is the gateway's alone: files 0600, directory 0700, nothing left beside", async () => {
    await ensure();
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
    expect([paths.dir, ...readdirSync(paths.dir).map((name) => join(paths.dir, name))].map(mode)).toEqual(['700', '600', '600', '600']);
    expect(readdirSync(root)).toEqual(['tls']);
    expect(readFileSync(paths.caFile, 'utf8')).not.toContain('PRIVATE');
  });

  it.each(['evil.example.org', '192.0.2.9', '[2001:db8::9]'])('comes from an authority that cannot speak for %s', async (other) => {
    await ensure();
    const authority = { certificate: readFileSync(paths.caFile, 'utf8'), key: readFileSync(paths.caKeyFile, 'utf8') };
    const forged = join(root, 'forged.pem');
    writeFileSync(forged, (await makeServerCertificate(authority, certificateHosts({ hostname: other }), NOW_MS)).certificate);
    expect(verifies(forged)).toBe(false);
  });

  it('is left alone until two thirds of its life are over, and then made anew by the same authority', async () => {
    await ensure();
    const before = contents();
    expect(await ensure(undefined, NOW_MS + 59 * DAY_MS)).toEqual({ made: null, formerDir: null });
    expect(contents()).toEqual(before);
    expect(await ensure(undefined, NOW_MS + 61 * DAY_MS)).toEqual({ made: 'certificate', formerDir: null });
    const after = contents();
    expect({ ...after, 'server.pem': '' }).toEqual({ ...before, 'server.pem': '' });
    expect(after['server.pem']).not.toBe(before['server.pem']);
    expect(certificate().validToDate.getTime()).toBeGreaterThan(NOW_MS + 150 * DAY_MS);
    expect(verifies(paths.serverFile, ['-no_check_time'])).toBe(true);
  });

  it('is made anew when it was made by a clock that was ahead', async () => {
    await ensure(undefined, NOW_MS + 30 * DAY_MS);
    expect(await ensure()).toMatchObject({ made: 'certificate' });
    expect(verifies(paths.serverFile, ['-no_check_time'])).toBe(true);
  });

  it('verifies when the clock, which was months ahead when all was made, is put right', async () => {
    await ensure(undefined, NOW_MS + 300 * DAY_MS);
    expect(verifies(paths.serverFile)).toBe(false);
    expect(await ensure()).toMatchObject({ made: 'certificate' });
    expect(verifies(paths.serverFile)).toBe(true);
    expect(aheadProblem(paths, certificate(paths.caFile), NOW_MS)).toBeUndefined();
  });

  it('twin: does not where it was years ahead, and that is said', async () => {
    await ensure(undefined, NOW_MS + 400 * DAY_MS);
    expect(await ensure()).toMatchObject({ made: 'certificate' });
    expect(verifies(paths.serverFile)).toBe(false);
    const from = new Date(NOW_MS + 35 * DAY_MS).toISOString().slice(0, 10);
    expect(aheadProblem(paths, certificate(paths.caFile), NOW_MS)?.message).toContain(`ca.pem is not valid before ${from}`);
  });

  it('never outlives its authority', async () => {
    await ensure();
    await ensure(undefined, NOW_MS + 3640 * DAY_MS);
    expect(certificate().validToDate).toEqual(certificate(paths.caFile).validToDate);
  });

  it('of another public_url has another authority; the former files stay', async () => {
    await ensure();
    const before = contents();
    const { made, formerDir } = await ensure('other.example.com');
    expect(made).toBe('authority');
    expect(verifies(paths.serverFile, ['-verify_hostname', 'other.example.com'])).toBe(true);
    expect(Object.values(before)).toEqual(readdirSync(formerDir ?? '').map((name) => readFileSync(join(formerDir ?? '', name), 'utf8')));
  });

  it('is one, however many find that there is none', async () => {
    await Promise.all([1, 2, 3].map(() => ensure()));
    expect(verifies(paths.serverFile)).toBe(true);
    expect(readdirSync(root)).toEqual(['tls']);
  });

  it('alone missing is made anew', async () => {
    await ensure();
    rmSync(paths.serverFile);
    expect(await ensure()).toMatchObject({ made: 'certificate' });
    expect(verifies(paths.serverFile)).toBe(true);
  });
});

describe('broken files, or files of another user, are reported and stay unchanged', () => {
  const another = async (): Promise<{ ca: string; caKey: string; server: string }> => {
    const hosts = certificateHosts({ hostname: 'prefect.example.com' });
    const authority = await makeAuthority(hosts, NOW_MS);
    const server = await makeServerCertificate(authority, hosts, NOW_MS);
    return { ca: authority.certificate, caKey: authority.key, server: server.certificate + server.key };
  };
  const faults: readonly (readonly [string, () => Promise<void>, RegExp])[] = [
    ['no authority', async () => rmSync(paths.caFile), /ca\.pem is missing/],
    ['no key of the authority', async () => rmSync(paths.caKeyFile), /ca-key\.pem is missing/],
    ['no PEM', async () => writeFileSync(paths.caFile, 'nonsense'), /holds no PEM certificate/],
    ['a key of somebody else', async () => writeFileSync(paths.caKeyFile, (await another()).caKey), /is no authority whose key/],
    ['a certificate of another authority', async () => writeFileSync(paths.serverFile, (await another()).server), /was not signed by/],
    ['a server certificate as the authority', async () => cpSync(paths.serverFile, paths.caFile), /is no authority/],
    [
      "a certificate with another's key",
      async () => {
        const [own] = readFileSync(paths.serverFile, 'utf8').split('-----BEGIN PRIVATE');
        writeFileSync(paths.serverFile, `${own}-----BEGIN PRIVATE${(await another()).server.split('-----BEGIN PRIVATE')[1]}`);
      },
      /holds another key/,
    ],
    ['a key that others can read', async () => chmodSync(paths.caKeyFile, 0o640), /chmod 600/],
    ['half a file', async () => writeFileSync(paths.serverFile, readFileSync(paths.serverFile, 'utf8').slice(0, 300)), /server\.pem holds no PEM/],
  ];
  it.each(faults)('%s', async (_what, invalidate, words) => {
    await ensure();
    await invalidate();
    const before = contents();
    await expect(ensure()).rejects.toMatchObject({ code: 'own-certificate-unusable', message: expect.stringMatching(words) });
    expect(contents()).toEqual(before);
    expect(readdirSync(root)).toEqual(['tls']);
  });

  it('an authority that has expired', async () => {
    await ensure();
    await expect(ensure(undefined, NOW_MS + 3651 * DAY_MS)).rejects.toThrow(/ca\.pem expired on/);
  });

  it('an authority of the company, put in its place', async () => {
    await ensure();
    const [key, ca] = [paths.caKeyFile, paths.caFile];
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '9', '-subj', '/CN=acme', '-keyout', key, '-out', ca],
      {
        stdio: 'pipe',
      },
    );
    rmSync(paths.serverFile);
    await expect(ensure()).rejects.toThrow(/was not made by this gateway/);
    expect(existsSync(paths.serverFile)).toBe(false);
  });
});
