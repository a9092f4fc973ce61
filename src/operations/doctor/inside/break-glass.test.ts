import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../../../config/memory-dir.fixture.ts';
import { openStore } from '../../../store/store.ts';
import { checkBreakGlass } from './break-glass.ts';

const NOW_MS = 1_700_000_000_000;
let root = '';
beforeEach(() => {
  root = makeMemoryDir('lictor-glass-');
});
afterEach(() => rmSync(root, { recursive: true }));

it('names the live ones and until when, and neither the expired nor the lasting', async () => {
  const file = join(root, 'lictor.db');
  expect((await checkBreakGlass(file, NOW_MS)).status).toBe('ok');
  const store = await openStore({ at: file, clock: () => NOW_MS });
  const account = { roles: ['admin'], password: 'phc' };
  await store.accounts.create({ ...account, id: '1', name: 'alice' });
  await store.accounts.create({ ...account, id: '2', name: 'old', expiresMs: NOW_MS });
  expect((await checkBreakGlass(file, NOW_MS)).status).toBe('ok');
  await store.accounts.create({ ...account, id: '3', name: 'emma', expiresMs: NOW_MS + 1 });
  expect(await checkBreakGlass(file, NOW_MS)).toMatchObject({ status: 'warn', message: expect.stringContaining('emma (until 2023-11-14T22:13:20.001Z)') });
  await store.close();
});

it('leaves a store that cannot be read to its own check', async () => {
  writeFileSync(join(root, 'x.db'), 'no database');
  expect((await checkBreakGlass(join(root, 'x.db'), NOW_MS)).status).toBe('ok');
});
