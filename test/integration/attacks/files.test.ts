// What another user of the same machine can do with the gateway's files: nothing.
import { copyFileSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runLictor } from '../../env/gateway.ts';
import { waitFor } from '../../env/process.ts';
import { noteSecret, secretsBelow } from '../../env/stored-secrets.ts';
import { useHarness } from './harness.ts';

const harness = useHarness();

/** Written by this test's own helpers; and a number, by nginx itself when a configuration is tested. */
const NOT_OURS = new Set(['lictor.yaml', 'nginx.pid']);

it('keeps every file, socket and directory from other users, whatever the umask was', async () => {
  await harness.gateway.fetch('/api/flows/count', { token: harness.viewer });
  const { stateDir } = harness.gateway;
  const open = [stateDir, realpathSync(join(stateDir, 'run'))].flatMap(openToOthers);
  expect(open).toEqual([]);
});

it('nor by a command before the first start, in a shell with an open umask', async () => {
  const root = mkdtempSync(join(tmpdir(), 'lictor-test-files-'));
  try {
    const [configFile, stateDir] = [join(root, 'lictor.yaml'), join(root, 'state')];
    copyFileSync(harness.gateway.configFile, configFile);
    for (const args of [['check'], ['account', 'add', 'al', '--role', 'viewer'], ['token', 'create', 'x', '--role', 'viewer']]) {
      expect(await runLictor(args, { configFile, stateDir, umask: '000' }), args.join(' ')).toMatchObject({ code: 0 });
    }
    const runtime = realpathSync(join(stateDir, 'run'));
    expect([stateDir, runtime].flatMap(openToOthers)).toEqual([]);
    rmSync(runtime, { recursive: true });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

it('remembers decisions, which are keyed by credentials, on tmpfs alone, in a directory of nobody else', async () => {
  expect((await harness.gateway.fetch('/api/work_pools/p', { token: harness.viewer })).status).toBe(200);
  const runtime = realpathSync(join(harness.gateway.stateDir, 'run'));
  const cache = join(runtime, 'decisions');
  expect(lstatSync(cache).mode & 0o777).toBe(0o700);
  expect(statfsSync(cache).type).toBe(TMPFS_MAGIC);
  // The only place of the running gateway that holds a credential, and it goes with the gateway.
  const holders = secretsBelow(runtime).filter((line) => !line.startsWith(`${cache}/`));
  expect(holders).toEqual([]);
  await waitFor(() => secretsBelow(cache).length > 0, { what: 'a decision that is remembered' });
  expect(await harness.gateway.stop()).toEqual([]);
  expect(existsSync(cache)).toBe(false);
  await harness.gateway.up();
});

it('TK-01: the search at the end of every gateway of the tests finds stored secrets', () => {
  const root = mkdtempSync(join(tmpdir(), 'lictor-test-kept-'));
  try {
    noteSecret('a-password-of-nobody');
    mkdirSync(join(root, 'log'));
    const kept = {
      'log/access.log': `x Bearer ${'a'.repeat(40)}`,
      'log/control.log': 'the password is a-password-of-nobody.',
      'ledger.db': `\0\0${harness.viewer}\0`,
      'lictor.db': `${'x'.repeat(5_000_000)}eyJ${'a'.repeat(30)}.${'b'.repeat(30)}`,
      'lictor.db-wal': `<saml:Assertion ID="x">`,
      'edge.log': 'nothing',
    };
    for (const [name, text] of Object.entries(kept)) writeFileSync(join(root, name), text);
    expect(secretsBelow(root).map((line) => line.slice(root.length + 1).split(' ')[0])).toEqual(
      expect.arrayContaining(['log/access.log', 'log/control.log', 'ledger.db', 'lictor.db', 'lictor.db-wal']),
    );
    expect(secretsBelow(root).join()).not.toMatch(/edge\.log|of-nobody/);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
});

const TMPFS_MAGIC = 0x01021994;

/** Directories may be passed through by nginx's workers, not listed; nothing else is anybody's. What lies below a closed one is out of reach. */
function openToOthers(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink() || NOT_OURS.has(entry.name)) return [];
    const stats = lstatSync(path, { throwIfNoEntry: false });
    // A sweep may have removed the file meanwhile.
    if (stats === undefined) return [];
    const mode = stats.mode & 0o777;
    const bad = (mode & (entry.isDirectory() ? 0o066 : 0o077)) === 0 ? [] : [`${mode.toString(8)} ${path}`];
    return entry.isDirectory() && (mode & 0o077) !== 0 ? [...bad, ...openToOthers(path)] : bad;
  });
}
