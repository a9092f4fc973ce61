// What a restore does to the credentials of a backup.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { loadStore, openStoreDump, readLaterStore } from './dump.ts';
import { writeNewStore } from './new-store.fixture.ts';
import { type Epoch, type LaterStore, NO_LATER_STORE } from './restores.ts';
import type { TableRows } from './sqlite-rows.ts';
import { openStore, type Store } from './store.ts';

const MADE_MS = 1_700_000_000_000;
const RESTORED_MS = MADE_MS + 60_000;
const clock = () => MADE_MS;

let dir: string;
let store: Store;
beforeEach(async () => {
  dir = makeMemoryDir('lictor-restores-');
  await writeNewStore(join(dir, 'lictor.db'));
  store = await openStore({ at: join(dir, 'lictor.db'), clock });
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

const token = (name: string) => ({ id: name, name, roles: ['viewer'], cidrs: [], lifetimeMs: null, hash: `${name} 1` });
const account = (name: string) => ({ id: name, name, roles: ['admin'], password: `phc ${name}` });

async function dump(name = 'lictor.db'): Promise<readonly TableRows[]> {
  using dumped = await openStoreDump(join(dir, name));
  const rows: TableRows[] = [];
  for await (const some of dumped.rows()) rows.push(some);
  return rows;
}

/** Restores what `dump` answered into another store, which takes the place of the first one. */
async function restore(rows: readonly TableRows[], later: LaterStore = NO_LATER_STORE): Promise<Epoch> {
  const file = join(dir, 'restored.db');
  const batches = (async function* () {
    yield* rows;
  })();
  const epoch = await loadStore({ file, restored: { backupId: 'b', madeMs: MADE_MS, restoredMs: RESTORED_MS, later } }, batches);
  await store.close();
  store = await openStore({ at: file, clock: () => RESTORED_MS });
  return epoch;
}

it('holds tokens and accounts until a person confirms them; what was revoked stays revoked', async () => {
  for (const name of ['live', 'gone']) await store.tokens.create(token(name));
  await store.accounts.create(account('alice'));
  await store.tokens.revoke('gone');
  const { epoch, waiting } = await restore(await dump());
  expect({ epoch, waiting }).toEqual({ epoch: 1, waiting: { tokens: ['live'], accounts: ['alice'] } });
  expect((await store.tokens.byId('live'))?.heldMs).toBe(RESTORED_MS);
  expect([await store.tokens.confirm('gone'), await store.tokens.confirm('live'), await store.tokens.confirm('live')]).toEqual([false, true, false]);
  expect((await store.tokens.list()).map(({ name, heldMs, revokedMs }) => [name, heldMs, revokedMs])).toEqual([
    ['gone', null, MADE_MS],
    ['live', null, null],
  ]);
  expect([await store.accounts.confirm('alice'), await store.accounts.confirm('alice')]).toEqual([true, false]);
});

it('a new secret ends the hold, and the former secret with it', async () => {
  await store.tokens.create(token('ci'));
  await store.accounts.create(account('alice'));
  await restore(await dump());
  await store.tokens.rotate({ id: 'ci', hash: 'ci 2', overlapMs: 3_600_000 });
  expect(await store.tokens.byId('ci')).toMatchObject({ heldMs: null, secrets: [{ hash: 'ci 2' }, { hash: 'ci 1', expiresMs: 0 }] });
  await store.accounts.setPassword('alice', 'phc new');
  expect(await store.accounts.byName('alice')).toMatchObject({ heldMs: null, password: 'phc new' });
});

it('confirms by a later store what holds there, and takes over its locks', async () => {
  for (const name of ['same', 'revoked', 'rotated']) await store.tokens.create(token(name));
  for (const name of ['alice', 'bob', 'carol']) await store.accounts.create(account(name));
  const rows = await dump();
  await store.tokens.revoke('revoked');
  await store.tokens.rotate({ id: 'rotated', hash: 'rotated 2', overlapMs: 0 });
  await store.accounts.remove('bob');
  await store.accounts.setPassword('carol', 'phc new');
  await store.locks.put({ kind: 'principal', value: 'mallory@corp', why: 'left', by: 'local:root', expiresMs: null });
  const { waiting } = await restore(rows, await readLaterStore(join(dir, 'lictor.db'), MADE_MS));
  expect(waiting).toEqual({ tokens: ['revoked', 'rotated'], accounts: ['bob', 'carol'] });
  expect(await store.locks.list()).toMatchObject([{ value: 'mallory@corp', why: 'left' }]);
});

it('twin: confirms nothing by a store that is older than the backup, and takes over its locks', async () => {
  await store.tokens.create(token('ci'));
  await store.accounts.create(account('alice'));
  await store.locks.put({ kind: 'principal', value: 'mallory@corp', why: 'left', by: 'local:root', expiresMs: null });
  const older = await readLaterStore(join(dir, 'lictor.db'), MADE_MS);
  await store.locks.remove({ kind: 'principal', value: 'mallory@corp' });
  const { waiting } = await restore(await dump(), older);
  expect(waiting).toEqual({ tokens: ['ci'], accounts: ['alice'] });
  expect(await store.locks.list()).toMatchObject([{ value: 'mallory@corp' }]);
});

it('ends sessions, logins, exchanged tokens, tokens of runs and approvals', async () => {
  await store.accounts.create(account('alice'));
  using db = new DatabaseSync(join(dir, 'lictor.db'));
  db.exec(`INSERT INTO sessions (id, account_id, created_ms, last_seen_ms, expires_ms) VALUES ('s', 'alice', 1, 1, 9e14);
    INSERT INTO login_attempts (id, return_to, created_ms) VALUES ('a', '/', 1);
    INSERT INTO client_grants (id, client_id, scopes, audience, account_id, created_ms, seen_ms, expires_ms) VALUES ('g', 'c', '[]', 'api', 'alice', 1, 1, 9e14);
    INSERT INTO authorization_codes (id, hash, grant_id, redirect_uri, challenge, openid, grant_expires_ms, expires_ms) VALUES ('c', 'h', 'g', 'u', 'x', 0, 9e14, 9e14);
    INSERT INTO access_tokens (id, hash, chain, created_ms, expires_ms) VALUES ('t', 'h', '{}', 1, 9e14);
    INSERT INTO run_tokens (hash, id, flow_run_id, pool, state_id, worker, binding, credential_id, on_behalf_of, minted_ms, live_ms, expires_ms)
      VALUES ('h', 'r', 'f', 'p', 's', 'w', 'b', 'c', '[]', 1, 1, 9e14);
    INSERT INTO approvals SELECT 'p', 'b', 'r', 'x', '[]', 'x', 'c', NULL, '[]', 'a', 'FlowRun', NULL, NULL, '[]', 'h', 1, 1, 'approved', 1, 9e14, NULL, '';`);
  db.exec("INSERT INTO shared_keys VALUES ('seal', 'x'), ('saml.pem', 'x'), ('run-token.key', 'x'), ('signing.json', 'x'), ('ledger.pem', 'x')");
  const before = await store.changeNumber();
  expect((await restore(await dump())).ended).toEqual({ sessions: 1, logins: 1, accessTokens: 1, runTokens: 1, approvals: 1 });
  expect(await store.changeNumber()).toBeGreaterThan(before);
  using after = new DatabaseSync(join(dir, 'restored.db'));
  const live = `SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM login_attempts) + (SELECT count(*) FROM authorization_codes)
    + (SELECT count(*) FROM client_grants WHERE ended_ms IS NULL) + (SELECT count(*) FROM access_tokens WHERE revoked_ms IS NULL)
    + (SELECT count(*) FROM run_tokens WHERE ended_ms IS NULL OR ended_ms > 0) + (SELECT count(*) FROM approvals WHERE expires_ms > 0) AS live`;
  expect(after.prepare(live).get()).toEqual({ live: 0 });
  expect(after.prepare('SELECT name FROM shared_keys ORDER BY name').all()).toEqual([{ name: 'saml.pem' }, { name: 'seal' }]);
});

it('counts a proof from before the restore as used, and no later one', async () => {
  await restore(await dump());
  const once = (id: string, madeMs?: number) => store.marks.once('aws-iam', id, RESTORED_MS + 300_000, madeMs);
  expect([await once('a', RESTORED_MS), await once('a', RESTORED_MS - 1), await once('a', RESTORED_MS + 1), await once('b')]).toEqual([
    ...[false, false],
    ...[true, true],
  ]);
});

it('raises the epoch with each restore, and stores rows in the order in which they came', async () => {
  for (const name of ['z', 'a', 'm']) await store.tokens.create(token(name));
  await restore(await dump());
  rmSync(join(dir, 'lictor.db'));
  const rows = await dump('restored.db');
  expect(rows.find(({ table }) => table === 'tokens')?.rows.map(([id]) => id)).toEqual(['z', 'a', 'm']);
  expect(rows.find(({ table }) => table === 'restores')?.rows).toEqual([[1, 'b', MADE_MS, RESTORED_MS]]);
});

it('takes no row of another table', async () => {
  const foreign = [{ table: 'sqlite_schema', columns: ['sql'], rows: [['x']] }];
  await expect(restore(foreign)).rejects.toThrow(/no table of this database/);
});
