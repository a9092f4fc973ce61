// More sessions and logins than SQLite takes values in a statement (32,766): what ends them must not fail by their number.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { openStore, type Store } from './store.ts';

const MANY = 33_000;
const NOW = 1_800_000_000_000;
const BOB = { idp: 'corp', subject: 's', name: 'bob', kind: 'user', groups: [], claims: {} } as const;

let dir: string;
let store: Store;
let bob: string;
/** Its rows are the same for each test. */
let filled: Buffer;
beforeAll(async () => {
  await open();
  bob = String(await store.identities.put(BOB, 'word'));
  const database = new DatabaseSync(join(dir, 'lictor.db'));
  database.exec('begin');
  const session = database.prepare('insert into sessions (id, identity_id, idp_session, created_ms, last_seen_ms, expires_ms) values (?, ?, ?, 1, 1, 2)');
  const grant = database.prepare(
    `insert into client_grants (id, client_id, scopes, audience, identity_id, session_id, created_ms, seen_ms, expires_ms) values (?, 'c', '[]', 'api', ?, ?, 1, 1, ?)`,
  );
  const tokens = database.prepare(`insert into idp_tokens (owner, sealed, updated_ms) values (?, 'sealed', 1)`);
  for (let index = 0; index < MANY; index += 1) {
    session.run(`s${index}`, bob, 'sid');
    grant.run(`g${index}`, bob, `s${index}`, NOW + 1);
    tokens.run(`s${index}`);
  }
  database.exec('commit');
  database.close();
  await store.close();
  filled = readFileSync(join(dir, 'lictor.db'));
  rmSync(dir, { recursive: true });
}, 60_000);
beforeEach(() => open(filled));
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true });
});

async function open(content?: Buffer): Promise<void> {
  dir = makeMemoryDir('lictor-many-');
  if (content !== undefined) writeFileSync(join(dir, 'lictor.db'), content, { mode: 0o600 });
  store = await openStore({ at: join(dir, 'lictor.db'), clock: () => NOW });
}

const left = async () => [await store.sessions.byId('s7'), await store.idpTokens.read('s7'), (await store.clientGrants.byId('g7'))?.endedMs];

it('a back-channel logout ends them all, with the logins that stand on them', async () => {
  expect(await store.sessions.endOfProvider({ idp: 'corp', subject: 's', idpSession: 'sid' })).toHaveLength(MANY);
  expect(await left()).toEqual([undefined, undefined, NOW]);
}, 60_000);

it('lictor identity forget does', async () => {
  expect(await store.identities.forget('corp', 'bob')).toBe(true);
  expect(await left()).toEqual([undefined, undefined, undefined]);
  expect(await store.clientGrants.live()).toEqual([]);
}, 60_000);

it('the next login clears those away that are over, and does not fail by them', async () => {
  expect(await store.sessions.prune({ nowMs: NOW, seenBeforeMs: 0 })).toBe(MANY);
  expect(await left()).toEqual([undefined, undefined, null]);
}, 60_000);

it('another session of a provider, or of a person, is not among them', async () => {
  expect(await store.sessions.endOfProvider({ idp: 'corp', subject: 's', idpSession: 'other' })).toEqual([]);
  expect(await store.sessions.endOfProvider({ idp: 'corp', subject: 'else' })).toEqual([]);
  expect(await store.sessions.endOfProvider({ idp: 'adfs', idpSession: 'sid' })).toEqual([]);
  expect(await store.sessions.end('s8')).toBe(true);
  expect((await left())[0]).toBeDefined();
}, 60_000);
