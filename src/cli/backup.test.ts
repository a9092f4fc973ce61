// lictor backup, lictor restore, and the confirmation of what waits.
import { existsSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { generateX25519Identity } from 'age-encryption';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { main } from './main.ts';

let root: string;
const at = (...names: readonly string[]): string => join(root, ...names);
beforeEach(() => {
  root = makeMemoryDir('lictor-backup-');
  writeFileSync(
    at('lictor.yaml'),
    'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\nidentity_providers: [{ id: local, type: accounts }]\n',
  );
});
afterEach(() => {
  for (const name of ['state', 'new']) removeRuntimeDir(statePaths(at(name), at(name, 'run')));
  rmSync(root, { recursive: true });
});

async function lictor(...args: readonly string[]) {
  return await lictorIn('state', ...args);
}

async function lictorIn(state: string, ...args: readonly string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const whole = ['--state-dir', at(state), '-c', at('lictor.yaml'), ...args];
  const status = await main({ args: whole, out, err, env: {}, cwd: root, pause: async () => undefined });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

async function ok(state: string, ...args: readonly string[]): Promise<string> {
  const { status, out, err } = await lictorIn(state, ...args);
  expect([status, err]).toEqual([0, '']);
  return out;
}

const backUp = async () => {
  const recipient = (await ok('state', 'backup', '--new-identity', at('key.txt'))).trim();
  await ok('state', 'backup', '-o', at('b.age'), '--recipient', recipient);
};
const restore = (...more: readonly string[]) => ['restore', at('b.age'), '--identity', at('key.txt'), ...more];

it('restores into an empty directory, and confirms by name', async () => {
  await ok('state', 'token', 'create', 'ci', '--role', 'viewer');
  await ok('state', 'token', 'create', 'etl', '--role', 'worker');
  await ok('state', 'account', 'add', 'alice', '--role', 'admin');
  await backUp();
  expect([statSync(at('key.txt')).mode & 0o777, statSync(at('b.age')).mode & 0o777]).toEqual([0o600, 0o600]);
  expect(await ok('state', ...restore('--check'))).toContain('is a whole backup of');
  const text = await ok('new', ...restore());
  // The command line names another one.
  expect([existsSync(at('new', 'lictor.yaml')), text.includes('former state')]).toEqual([false, false]);
  expect(text).toMatch(/Its epoch is 1\.\nEnded: 0 sessions[\s\S]*tokens: ci etl\n[\s\S]*accounts: alice\n[\s\S]*Set them again/);
  const states = async () => JSON.parse(await ok('new', 'token', 'list', '--json')).map(({ name, state }: Record<string, unknown>) => [name, state]);
  expect(await states()).toEqual(expect.arrayContaining([['ci', 'unconfirmed']]));
  expect(await lictorIn('new', 'token', 'confirm', 'etl', 'no-such')).toMatchObject({ status: 1 });
  expect(await states()).toEqual(expect.arrayContaining([['etl', 'unconfirmed']]));
  expect(await ok('new', 'token', 'confirm', 'ci')).toBe('Token ci is confirmed.\n');
  expect(await ok('new', 'token', 'confirm', 'ci')).toBe('Token ci needs no confirmation.\n');
  expect(await ok('new', 'account', 'confirm', 'alice')).toBe('Account alice is confirmed.\n');
  expect(await states()).toEqual(expect.arrayContaining([['ci', 'live']]));
  const actions = (await ok('new', 'audit', '--json'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).action);
  expect(actions.slice(-4)).toEqual(['gateway.restored', 'gateway.credentials_ended', 'token.confirm', 'account.confirm']);
  expect(await ok('new', 'audit')).toMatch(/restored from a backup \(epoch 1[\s\S]*the restore ended 0 sessions/);
  expect(await ok('new', 'audit', 'verify')).toMatch(/ok {2}no record[\s\S]*was restored from a backup at/);
});

it('replaces a state only when asked, and confirms what still holds by it', async () => {
  await ok('state', 'token', 'create', 'ci', '--role', 'viewer');
  await backUp();
  const before = readFileSync(at('state', 'lictor.db'));
  expect(await lictor(...restore())).toMatchObject({ status: 1, err: expect.stringMatching(/has a state already.*--replace/) });
  expect(readFileSync(at('state', 'lictor.db')).equals(before)).toBe(true);
  const { former_state: former, waiting } = JSON.parse(await ok('state', ...restore('--replace', '--json')));
  expect(waiting).toEqual({ tokens: [], accounts: [] });
  expect(readdirSync(former).sort()).toEqual(expect.arrayContaining(['keys', 'ledger.db', 'lictor.db']));
});

it('is refused while a gateway runs', async () => {
  await ok('state', 'token', 'create', 'ci', '--role', 'viewer');
  await backUp();
  writeFileSync(join(realpathSync(at('state', 'run')), 'supervisor.pid'), `${process.ppid}\n`);
  expect(await lictor(...restore('--replace'))).toMatchObject({ status: 1, err: expect.stringMatching(/a gateway uses .*Stop it first/) });
});

it.each([
  ['no key', ['backup', '-o', 'x'], 2, /always encrypted.*--recipient/],
  ['no file', ['backup', '--recipient', 'age1x'], 2, /lictor backup -o FILE/],
  ['a file that is there', ['backup', '-o', 'lictor.yaml', '--recipient', 'age1x'], 1, /exists/],
  ['no public key', ['backup', '-o', 'x', '--recipient', 'AGE-SECRET-KEY-1ABC'], 2, /no public key of age/],
  ['a short passphrase', ['backup', '-o', 'x', '--passphrase-file', 'short'], 2, /fewer than 16 characters/],
  ['both keys', ['backup', '-o', 'x', '--passphrase-file', 'short', '--recipient', 'age1x'], 2, /not both/],
  ['a restore without a key', ['restore', 'lictor.yaml'], 2, /--identity FILE/],
  ['no identity', ['restore', 'lictor.yaml', '--identity', 'lictor.yaml'], 2, /holds no identity/],
  ['a file that is not there', ['restore', 'none', '--identity', 'id'], 1, /none cannot be read/],
  ['a foreign file', ['restore', 'lictor.yaml', '--identity', 'id'], 1, /no backup of Lictor. Nothing was changed/],
])('names what is wrong: %s', async (_name, words, status, message) => {
  writeFileSync(at('short'), 'hunter2\n');
  writeFileSync(at('id'), await generateX25519Identity());
  const files = ['lictor.yaml', 'short', 'id', 'x', 'none'];
  const args = words.map((word) => (files.includes(word) ? at(word) : word));
  const failed = await lictor(...args);
  expect(failed).toMatchObject({ status, err: expect.stringMatching(message) });
  expect(failed.err).not.toMatch(/SECRET-KEY|hunter2| {4}at /);
  expect(readdirSync(root)).not.toContain('x');
});
