// What signs our messages: made once, private, and never replaced by a guess.
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureSigner } from './signer.ts';

let root: string;
let file: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lictor-signer-'));
  file = join(root, 'keys', 'saml.pem');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

it('is an RSA key that fits its certificate, the same each time, for this user alone', async () => {
  const [one, two] = await Promise.all([ensureSigner(file, Date.now()), ensureSigner(file, Date.now())]);
  expect(two).toEqual(one);
  expect(await ensureSigner(file, Date.now())).toEqual(one);
  const certificate = new X509Certificate(one.certificate);
  expect(certificate.checkPrivateKey(createPrivateKey(one.key))).toBe(true);
  expect(createPublicKey(one.certificate).asymmetricKeyDetails?.modulusLength).toBe(3072);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it('a file that holds something else is left alone', async () => {
  await ensureSigner(file, Date.now());
  writeFileSync(file, 'something else');
  await expect(ensureSigner(file, Date.now())).rejects.toThrow(/holds no certificate and key/);
});
