// What another user of the same machine can do with the gateway's files: nothing.
import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { useHarness } from './harness.ts';

const harness = useHarness();

/** Written by this test's own helpers. */
const NOT_OURS = new Set(['lictor.yaml']);

it('keeps every file, socket and directory from other users, whatever the umask was', async () => {
  await harness.gateway.fetch('/api/flows/count', { token: harness.viewer });
  const { stateDir } = harness.gateway;
  const open = [stateDir, realpathSync(join(stateDir, 'run'))].flatMap(openToOthers);
  expect(open).toEqual([]);
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
