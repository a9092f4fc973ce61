import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openSealer } from '../config/keys/sealer.ts';
import { statePaths } from '../config/state-dir.ts';
import { SEAL_CHECK, type SharedKeys } from '../store/shared-keys.ts';
import { assertKeysShared, openKeys } from './share-keys.ts';

const place = () => {
  const paths = statePaths(mkdtempSync(join(tmpdir(), 'lictor-keys-')), '/run/none');
  mkdirSync(join(paths.root, 'keys'));
  return paths;
};

it('a node with the sealing key of the others is right, and so is the first node; one without it or with another key is named, and gets no key', () => {
  const [mine, other, none] = [place(), place(), place()];
  const rows = new Map([[SEAL_CHECK, openSealer(mine.sealKey).seal(SEAL_CHECK, SEAL_CHECK)]]);
  openSealer(other.sealKey);
  expect(() => assertKeysShared(mine, rows)).not.toThrow();
  expect(() => assertKeysShared(none, new Map())).not.toThrow();
  expect(() => assertKeysShared(other, rows)).toThrow(/seal\.key is not the key of the other nodes/);
  expect(() => assertKeysShared(none, rows)).toThrow(/seal\.key is missing: copy it/);
  expect(existsSync(none.sealKey)).toBe(false);
});

it('names a key file that differs from the one of the other nodes, before the start and at the start; one that is missing comes from the store', async () => {
  const paths = place();
  const rows = new Map<string, string>();
  const shared: SharedKeys = {
    get: async (name) => rows.get(name),
    async change(name, work) {
      rows.set(name, await work(rows.get(name)));
      return rows.get(name) ?? '';
    },
  };
  const keys = await openKeys({ url: 'postgres://db/lictor', passwordFile: null }, shared, paths);
  const share = () => keys.shareFile('ledger.pem', paths.ledgerKey, () => writeFileSync(paths.ledgerKey, 'first'));
  await share();
  expect(() => assertKeysShared(paths, rows)).not.toThrow();
  writeFileSync(paths.ledgerKey, 'another');
  const differs = /ledger\.pem differs from the one of the other nodes: move it away/;
  expect(() => assertKeysShared(paths, rows)).toThrow(differs);
  await expect(share()).rejects.toThrow(differs);
  rmSync(paths.ledgerKey);
  expect(() => assertKeysShared(paths, rows)).not.toThrow();
  expect(existsSync(paths.ledgerKey)).toBe(false);
  await share();
  expect(() => assertKeysShared(paths, rows)).not.toThrow();
});
