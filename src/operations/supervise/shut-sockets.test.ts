import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { statePaths } from '../../config/state-dir.ts';
import { forgetSockets, reopenSockets, shutSockets } from './shut-sockets.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'shut-sockets-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

it('moves each socket of the control plane that nginx connects to, and no other; and back, while the control plane has not ended', () => {
  const paths = statePaths(dir, dir);
  const { decisionSocket, controlSocket, relaySocket, anonymousSocket } = paths;
  const moved = [decisionSocket, controlSocket, relaySocket, anonymousSocket];
  const all = [...moved, paths.holdSocket, paths.adminSocket];
  const there = () => all.filter((path) => existsSync(path));
  for (const path of all) writeFileSync(path, '');
  shutSockets(paths);
  expect(there()).toEqual([paths.holdSocket, paths.adminSocket]);
  reopenSockets(paths);
  expect(there()).toEqual(all);
  shutSockets(paths);
  forgetSockets(paths);
  reopenSockets(paths);
  expect(there()).toEqual([paths.holdSocket, paths.adminSocket]);
});
