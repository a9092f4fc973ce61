import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../../store/store.ts';
import { checkObservation } from './observe.ts';

const NOW_MS = 1_700_000_000_000;
let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lictor-observe-'));
});
afterEach(() => rmSync(root, { recursive: true }));
const DAY_MS = 86_400_000;
const binding = { role: 'viewer', members: ['*@corp'], scope: null } as const;

it('says who is observed until when, and whom an open role gives all rights; nothing where all is enforced', async () => {
  const storeAt = join(root, 'lictor.db');
  const store = await openStore({ at: storeAt, clock: () => NOW_MS });
  expect(await checkObservation({ mode: 'enforce', roles: [binding], storeAt }, NOW_MS)).toMatchObject({ status: 'ok' });
  await store.observations.keep(['*']);
  const config = { mode: 'observe', roles: [binding], storeAt } as const;
  const end = new Date(NOW_MS + 30 * DAY_MS).toISOString().slice(0, 10);
  expect(await checkObservation(config, NOW_MS + DAY_MS)).toMatchObject([
    { status: 'warn', message: expect.stringContaining(end) },
    { status: 'warn', message: expect.stringContaining('*@corp') },
  ]);
  expect(await checkObservation({ ...config, roles: [{ ...binding, mode: 'enforce' }] }, NOW_MS + 31 * DAY_MS)).toMatchObject([
    { status: 'warn', message: expect.stringContaining('ended') },
  ]);
  expect(await checkObservation({ ...config, roles: [], observe: ['read', 'steer'] }, NOW_MS)).toMatchObject([
    { message: expect.stringContaining('everyone (actions of read, steer)') },
  ]);
  await store.close();
});
