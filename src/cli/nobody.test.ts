// The message of the login commands without a login.
import { rmSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { main } from './main.ts';

let cwd: string;
beforeAll(() => {
  cwd = makeMemoryDir('lictor-nobody-');
});
afterAll(() => rmSync(cwd, { recursive: true }));

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({ args, out, err, env: { LICTOR_CONFIG_DIR: cwd }, cwd });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

it.each(['whoami', 'logout'])('%s reports that no person is logged in, and how to log in', async (name) => {
  expect(await lictor(name)).toEqual({ status: 1, out: '', err: 'lictor: Not logged in. Run: lictor login https://prefect.example.com\n' });
  expect(await lictor(name, 'http://127.0.0.1:9')).toMatchObject({ status: 1, err: expect.stringContaining('You are not logged in at http://127.0.0.1:9') });
});

it('login asks for the gateway: it is what nobody knows yet', async () => {
  expect(await lictor('login')).toMatchObject({ status: 2, err: expect.stringContaining('Which gateway?') });
});
