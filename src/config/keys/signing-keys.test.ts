// Keys that sign: made once, sealed, replaced by age and by command, published until nothing that they signed is valid.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSealer } from './sealer.ts';
import { openSigningKeys, SIGNING_KEY_LIMITS } from './signing-keys.ts';
import { textFile } from './stored-text.ts';

let dir: string;
let nowMs: number;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lictor-keys-'));
  nowMs = 1_800_000_000_000;
});
afterEach(() => rmSync(dir, { recursive: true }));

const file = () => join(dir, 'signing.json');
const open = (sealKey = 'seal.key') => openSigningKeys({ stored: textFile(file()), sealer: openSealer(join(dir, sealKey)), clock: () => nowMs });
const ids = async () => (await open().published()).map(({ kid }) => kid);

it('the first is made when it is first asked for, once, and its private half is nowhere in plain text', async () => {
  const keys = open();
  const all = await Promise.all([keys.published(), keys.published(), keys.current(), keys.published()]);
  expect(await ids()).toHaveLength(1);
  expect(all[0]).toEqual([expect.objectContaining({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: (await keys.current()).kid })]);
  expect(statSync(file()).mode & 0o777).toBe(0o600);
  expect(readFileSync(file(), 'utf8')).not.toContain('"d"');
  expect(JSON.stringify(all[0])).not.toContain('"d"');
});

it('a replaced one is published for a day, so that what it signed is believed to its end', async () => {
  const former = await open().current();
  const token = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid: former.kid }).sign(former.key);
  const kid = await open().rotate();
  expect((await open().current()).kid).toBe(kid);
  expect(await ids()).toEqual([kid, former.kid]);
  await jwtVerify(token, createLocalJWKSet({ keys: [...(await open().published())] }));
  nowMs += SIGNING_KEY_LIMITS.overlapMs;
  expect(await ids()).toEqual([kid]);
});

it('an old one is replaced by itself', async () => {
  const [former] = await ids();
  nowMs += SIGNING_KEY_LIMITS.ageMs - 1;
  expect(await ids()).toEqual([former]);
  nowMs += 1;
  const now = await ids();
  expect(now).toEqual([expect.not.stringMatching(String(former)), former]);
});

it('without its sealing key, or with a damaged file, nothing is signed', async () => {
  await open().published();
  await expect(open('other.key').current()).rejects.toMatchObject({ code: 'store-unusable' });
  writeFileSync(file(), '[{}]');
  await expect(open().current()).rejects.toMatchObject({ code: 'store-unusable' });
});
