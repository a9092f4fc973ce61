// A backup is whole, encrypted and verified, or there is none; a restore takes it whole, or changes nothing.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../../config/memory-dir.fixture.ts';
import { type StatePaths, statePaths } from '../../config/state-dir.ts';
import { appendRecord } from '../../record/ledger/append-record.ts';
import { openLedgerReader } from '../../record/ledger/query.ts';
import { writeNewStore } from '../../store/new-store.fixture.ts';
import { NO_LATER_STORE } from '../../store/restores.ts';
import { openStore } from '../../store/store.ts';
import { hasState, putInPlace } from './place.ts';
import { checkBackup, restoreInto } from './restore.ts';
import { type Lock, type Opener, writeSealed } from './seal.ts';
import { writeBackup } from './write.ts';

const MADE_MS = 1_800_000_000_000;
const KEY = await generateX25519Identity();
const RECIPIENT = await identityToRecipient(KEY);
const LOCK: Lock = { recipients: [RECIPIENT] };
const OPENER: Opener = { identities: [KEY] };

let dir: string;
let paths: StatePaths;
let file: string;
beforeEach(async () => {
  dir = makeMemoryDir('lictor-backup-');
  paths = statePaths(join(dir, 'state'), join(dir, 'run'));
  file = join(dir, 'b.age');
  mkdirSync(join(paths.root, 'keys'), { recursive: true });
  await writeNewStore(paths.storeFile);
  writeFileSync(paths.sealKey, 'seal-key-secret');
  writeFileSync(paths.runTokenKey, 'of runs');
  mkdirSync(paths.exports);
  writeFileSync(join(paths.exports, 'siem.json'), '{"n":1}');
  mkdirSync(join(dir, 'policies'));
  writeFileSync(join(dir, 'policies', 'a team.cedar'), 'permit');
  writeFileSync(join(dir, 'lictor.yaml'), 'public_url: http://localhost\n');
  for (const action of ['token.create', 'lock.create']) appendRecord(paths, { time: new Date(MADE_MS).toISOString(), action });
});
afterEach(() => rmSync(dir, { recursive: true }));

function backup(lock: Lock = LOCK) {
  return writeBackup({
    paths,
    config: { policies: join(dir, 'policies') },
    configFile: join(dir, 'lictor.yaml'),
    storeAt: paths.storeFile,
    output: file,
    lock,
    lictor: '0.1.0',
    clock: () => MADE_MS,
    progress: () => undefined,
  });
}

function restore(opener: Opener = OPENER) {
  const by = { time: '', principal: 'local:root' };
  return restoreInto({ file, opener, into: join(dir, 'into'), later: NO_LATER_STORE, by, clock: () => MADE_MS + 1_000, progress: () => undefined });
}

/** Any lines, as a stranger with the public key can seal them. */
async function forge(...lines: readonly unknown[]): Promise<void> {
  await writeSealed(
    file,
    lines.map((line) => `${JSON.stringify(line)}\n`),
    LOCK,
  );
}

const HEADER = {
  lictor_backup: 1,
  id: '00000000-0000-4000-8000-000000000000',
  state_version: 1,
  lictor: '9.9.9',
  made_at: '2026-12-02T00:00:00.000Z',
  node: 'n',
};

describe('a backup', () => {
  it('holds store, ledger, keys, positions, configuration and policies; the ledger verifies and shows the cut', async () => {
    expect(await backup()).toMatchObject({ records: 2, bytes: statSync(file).size });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(dir).sort()).toEqual(['b.age', 'lictor.yaml', 'policies', 'state']);
    const { header, ledger, epoch } = await restore();
    expect(header.made_at).toBe(new Date(MADE_MS).toISOString());
    expect(epoch.epoch).toBe(1);
    const into = join(dir, 'into');
    expect(readFileSync(join(into, 'keys', 'seal.key'), 'utf8')).toBe('seal-key-secret');
    expect(existsSync(join(into, 'keys', 'run-token.key'))).toBe(false);
    expect(readFileSync(join(into, 'exports', 'siem.json'), 'utf8')).toBe('{"n":1}');
    expect(readFileSync(join(into, 'policies', 'a team.cedar'), 'utf8')).toBe('permit');
    expect(readFileSync(join(into, 'lictor.yaml'), 'utf8')).toBe('public_url: http://localhost\n');
    expect(ledger).toMatchObject({ problems: [], restored: [{ seq: 2 }], chains: [{ records: 4 }] });
    // Another key signs from there on.
    expect(ledger?.keys).toHaveLength(2);
    const reader = openLedgerReader(join(into, 'ledger.db'));
    const records = [];
    for await (const record of reader.audit({})) records.push(record);
    reader.close();
    expect(records.slice(2)).toMatchObject([
      { action: 'gateway.restored', principal: 'local:root', resource_id: header.id, duration_ms: 1_000 },
      { action: 'gateway.credentials_ended', resource_id: '1' },
    ]);
  });

  it('holds no plain text', async () => {
    await backup();
    expect(readFileSync(file).includes('seal-key-secret')).toBe(false);
    expect(readFileSync(file, 'latin1').startsWith('age-encryption.org/v1\n')).toBe(true);
  });

  it('opens by its passphrase, and by no other', async () => {
    await backup({ passphrase: 'correct horse battery', workFactor: 8 });
    expect(await checkBackup(file, { passphrase: 'correct horse battery' })).toMatchObject({ lictor: '0.1.0' });
    await expect(checkBackup(file, { passphrase: 'wrong horse battery' })).rejects.toMatchObject({ code: 'backup-key' });
  });

  it('is one moment of a store that changes meanwhile', async () => {
    const store = await openStore({ at: paths.storeFile, clock: () => MADE_MS });
    const token = (name: string) => ({ id: name, name, roles: [], cidrs: [], lifetimeMs: null, hash: name });
    for (let index = 0; index < 300; index += 1) await store.tokens.create(token(`t${index}`));
    const writing = backup();
    for (let index = 0; index < 300; index += 1) await store.tokens.create(token(`u${index}`));
    await writing;
    await store.close();
    const { epoch } = await restore();
    expect(epoch.waiting.tokens.filter((name) => name.startsWith('t'))).toHaveLength(300);
    // Each has its secret: no row of the second table is older or younger than its row in the first.
    using db = new DatabaseSync(join(dir, 'into', 'lictor.db'));
    expect(db.prepare('SELECT count(*) AS count FROM tokens').get()).toEqual(db.prepare('SELECT count(*) AS count FROM token_secrets').get());
  });

  it('is not written over an altered ledger, nor half on an error', async () => {
    {
      using db = new DatabaseSync(paths.ledgerFile);
      db.exec("UPDATE records SET action = 'token.revoke' WHERE seq = 2");
    }
    await expect(backup()).rejects.toMatchObject({ code: 'ledger-altered' });
    rmSync(paths.storeFile);
    rmSync(paths.ledgerFile);
    await expect(backup()).rejects.toThrow();
    expect(readdirSync(dir).filter((name) => name.startsWith('b.age'))).toEqual([]);
  });
});

describe('a restore', () => {
  const refused = async (code: string, opener: Opener = OPENER) => {
    await expect(checkBackup(file, opener)).rejects.toMatchObject({ code });
    await expect(restore(opener)).rejects.toMatchObject({ code });
    expect(existsSync(join(dir, 'into'))).toBe(false);
  };

  it('rejects a wrong key', async () => {
    await backup();
    await refused('backup-key', { identities: [await generateX25519Identity()] });
    await refused('backup-key', { passphrase: 'correct horse battery' });
  });

  it.each([
    ['empty', () => ''],
    ['a text', () => 'public_url: http://localhost\n'],
    ['a tar archive', () => Buffer.alloc(2048, 1)],
  ])('rejects a foreign file: %s', async (_name, content) => {
    writeFileSync(file, content());
    await refused('backup-foreign');
  });

  it('rejects another file of the same key', async () => {
    await forge({ hello: 'world' });
    await refused('backup-foreign');
  });

  it('rejects each cut, and a change anywhere', async () => {
    await backup();
    const whole = readFileSync(file);
    for (const length of [30, 150, 220, whole.length - 100, whole.length - 1]) {
      writeFileSync(file, whole.subarray(0, length));
      await expect(checkBackup(file, OPENER)).rejects.toMatchObject({ code: 'backup-damaged' });
    }
    for (const at of [whole.length - 5, Math.floor(whole.length / 2), 205]) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(file, changed);
      await refused('backup-damaged');
    }
    writeFileSync(file, Buffer.concat([whole, whole]));
    await refused('backup-damaged');
  });

  it('rejects one of a newer or an older version, and names it', async () => {
    await forge({ ...HEADER, state_version: 2 });
    await refused('backup-newer');
    await expect(checkBackup(file, OPENER)).rejects.toThrow(/Lictor \(9\.9\.9\)/);
    rmSync(file);
    await forge({ ...HEADER, lictor_backup: 2 });
    await refused('backup-newer');
    rmSync(file);
    await forge({ ...HEADER, state_version: 0 });
    await refused('backup-older');
  });

  it.each([
    ['a file outside the state directory', { file: 'keys/../../x', content: '' }],
    ['a file of another name', { file: 'lictor.db', content: '' }],
    ['a hidden file', { file: 'keys/.x', content: '' }],
    ['no end', undefined],
    ['a wrong digest', { lines: 1, sha256: '0' }],
  ])('rejects %s', async (_name, line) => {
    await forge(HEADER, ...(line === undefined ? [] : [line]));
    await refused('backup-damaged');
  });

  it('rejects rows that do not fit', async () => {
    await forge(HEADER, { of: 'store', table: 'tokens', columns: ['no_such_column'], rows: [['x']] });
    await expect(restore()).rejects.toMatchObject({ code: 'backup-damaged' });
    expect(existsSync(join(dir, 'into'))).toBe(false);
  });

  it('puts the former state aside, and a second call completes an interrupted one', async () => {
    await backup();
    await restore();
    const aside = join(dir, 'aside');
    const former = readFileSync(paths.ledgerFile);
    const parts = { paths: { ...paths, restored: join(dir, 'into') }, hasConfig: false, storeFile: paths.storeFile, aside };
    expect(hasState(paths, paths.storeFile)).toBe(true);
    // A directory in the way stops it halfway.
    mkdirSync(join(paths.root, 'version', 'x'), { recursive: true });
    expect(() => putInPlace(parts)).toThrow();
    rmSync(join(paths.root, 'version'), { recursive: true });
    putInPlace({ ...parts, aside: join(dir, 'other') });
    expect(existsSync(paths.restoring)).toBe(false);
    expect(readFileSync(join(aside, 'ledger.db')).equals(former)).toBe(true);
    expect(existsSync(join(dir, 'other'))).toBe(false);
    expect([...['keys', 'exports', 'policies'].map((name) => readdirSync(join(paths.root, name)).length)]).toEqual([2, 1, 1]);
    using db = new DatabaseSync(paths.storeFile);
    expect(db.prepare('SELECT epoch FROM restores').all()).toEqual([{ epoch: 1 }]);
  });
});
