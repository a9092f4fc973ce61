import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ensureOwnCertificate } from '../../../config/certificates/own.ts';
import { ownCertificateWarnings } from '../../../config/certificates/warnings.ts';
import { ownCertificatePaths } from '../../../config/state-dir.ts';
import { checkOwnAuthority } from './own-authority.ts';

const DAY_MS = 86_400_000;
const NOW_MS = 1_800_000_000_000;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lictor-authority-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

async function madeAt(nowMs: number) {
  const paths = ownCertificatePaths(root);
  await ensureOwnCertificate({ publicUrl: { hostname: 'prefect.example.com' }, paths, nowMs });
  return paths;
}

it.each([0, 300])('an authority that was made by a clock %i days ahead is sound, and nothing more is said', async (days) => {
  const paths = await madeAt(NOW_MS + days * DAY_MS);
  expect(checkOwnAuthority(paths, NOW_MS)).toMatchObject({ status: 'ok' });
  expect(ownCertificateWarnings({ made: null, formerDir: null }, paths, NOW_MS)).toEqual([]);
});

it('one that was made by a clock years ahead is not valid yet, and both doctor and start say so', async () => {
  const paths = await madeAt(NOW_MS + 400 * DAY_MS);
  const says = { message: expect.stringContaining('is not valid before 2027-02-19'), remedy: expect.stringContaining('Put the clock of this machine right.') };
  expect(checkOwnAuthority(paths, NOW_MS)).toMatchObject({ status: 'fail', ...says });
  expect(ownCertificateWarnings({ made: 'certificate', formerDir: null }, paths, NOW_MS)).toEqual([says.message]);
});

it('a new one is reported with the file that clients need, and a gateway without one has no line', async () => {
  const paths = await madeAt(NOW_MS);
  expect(ownCertificateWarnings({ made: 'authority', formerDir: null }, paths, NOW_MS)).toEqual([
    expect.stringContaining(`every client needs ${paths.caFile}`),
  ]);
  expect(ownCertificateWarnings(null, paths, NOW_MS)).toEqual([]);
});
