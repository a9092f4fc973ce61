// What another user of the same machine can do with the gateway's files: nothing.
import { copyFileSync, lstatSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runLictor } from '../../env/gateway.ts';
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

it('nor by a command before the first start, in the shell of somebody with an open umask', async () => {
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

/** Directories may be passed through by nginx's workers, not listed; nothing else is anybody's. */
function openToOthers(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isSymbolicLink() || NOT_OURS.has(entry.name)) return [];
    const mode = lstatSync(path).mode & 0o777;
    const bad = (mode & (entry.isDirectory() ? 0o066 : 0o077)) === 0 ? [] : [`${mode.toString(8)} ${path}`];
    return entry.isDirectory() ? [...bad, ...openToOthers(path)] : bad;
  });
}
