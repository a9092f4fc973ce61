// Commands in a directory without a store: those that list or remove fail, and those that give rights create it.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { main } from './main.ts';

let root = '';
beforeEach(() => {
  root = makeMemoryDir('lictor-no-store-');
  const accounts = 'identity_providers: [{ id: local, type: accounts }]\n';
  writeFileSync(join(root, 'lictor.yaml'), `public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:9 }\n${accounts}`);
});
afterEach(() => {
  if (existsSync(join(root, '.lictor'))) removeRuntimeDir(statePaths(join(root, '.lictor'), join(root, '.lictor', 'run')));
  rmSync(root, { recursive: true });
});

async function lictor(command: string) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({ args: command.split(' '), out, err, env: {}, cwd: root, pause: async () => undefined });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

it.each([
  'token list',
  'token rotate ci-a',
  'token revoke ci-a',
  'account list',
  'account passwd alice',
  'account remove alice',
  'lock alice@local',
  'unlock alice@local',
  'locks --json',
  'identity list',
  'identity forget alice@corp',
  'services purge billing',
  'policy history',
  'policy show',
  'policy diff',
  'policy rollback 1',
  'simulate policies',
  'evidence --from 2026-01-01 --to 2026-03-31',
  'rotate keys',
  'rotate ledger-key',
])('lictor %s refuses where there is no store, and creates nothing', async (command) => {
  const { status, out, err } = await lictor(command);
  const where = join(root, '.lictor', 'lictor.db');
  expect([status, out, err]).toEqual([1, '', `lictor: There is no store at ${where}. Run the command with the gateway's -c and --state-dir.\n`]);
  expect(existsSync(join(root, '.lictor'))).toBe(false);
});

it.each(['token create ci-a --role run', 'account add alice --role viewer'])(
  'lictor %s creates the store: it may come before the first start',
  async (command) => {
    expect(await lictor(command)).toMatchObject({ status: 0, err: '' });
    expect(existsSync(join(root, '.lictor', 'lictor.db'))).toBe(true);
  },
);
