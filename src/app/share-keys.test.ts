import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSealer } from '../config/keys/sealer.ts';
import { SEAL_CHECK } from '../store/shared-keys.ts';
import { assertSealShared } from './share-keys.ts';

const place = (): string => join(mkdtempSync(join(tmpdir(), 'lictor-keys-')), 'keys', 'seal.key');

it('a node with the sealing key of the others is right, and so is the first node; one without it or with another key is named, and gets no key', () => {
  const [mine, other, none] = [place(), place(), place()];
  const sealed = openSealer(mine).seal(SEAL_CHECK, SEAL_CHECK);
  openSealer(other);
  expect(() => assertSealShared(mine, sealed)).not.toThrow();
  expect(() => assertSealShared(none, undefined)).not.toThrow();
  expect(() => assertSealShared(other, sealed)).toThrow(/seal\.key is not the key of the other nodes/);
  expect(() => assertSealShared(none, sealed)).toThrow(/seal\.key is missing: copy it/);
  expect(existsSync(none)).toBe(false);
});
