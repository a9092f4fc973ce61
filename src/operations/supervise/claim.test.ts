import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { claimStateDir } from './claim.ts';
import { type RunningProcess, startProcess } from './processes/start-process.ts';

let root: string;
let paths: { readonly supervisorPid: string; readonly holdSocket: string };
let other: RunningProcess;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'claim-'));
  paths = { supervisorPid: join(root, 'supervisor.pid'), holdSocket: join(root, 'relay.sock') };
  other = await startProcess({ command: process.execPath, args: ['-e', 'setInterval(() => undefined, 60_000)'], logFile: join(root, 'log', 'node.log') });
});
afterEach(async () => {
  await other.stop();
  rmSync(root, { recursive: true, force: true });
});

const files = () => readdirSync(root).filter((name) => name.startsWith('supervisor'));
const STALE = '999999999\n';

describe('the claim of a state directory', () => {
  it.each([
    ['nobody has', undefined],
    ['a process had that is gone', STALE],
    ['somebody left empty', ''],
  ])('that %s is ours, and nothing is left beside it', async (_whose, left) => {
    if (left !== undefined) writeFileSync(paths.supervisorPid, left);
    expect(await claimStateDir(paths)).toBeUndefined();
    expect(readFileSync(paths.supervisorPid, 'utf8')).toBe(`${process.pid}\n`);
    expect(files()).toEqual(['supervisor.pid']);
  });

  it('is that of the start that was quicker, also where both have found a stale one', async () => {
    writeFileSync(paths.supervisorPid, STALE);
    const claimed = claimStateDir(paths);
    // The stale one was looked at, and is not removed yet.
    writeFileSync(paths.supervisorPid, `${other.pid}\n`);
    expect(await claimed).toBe(other.pid);
    expect(readFileSync(paths.supervisorPid, 'utf8')).toBe(`${other.pid}\n`);
    expect(files()).toEqual(['supervisor.pid']);
  });
});
