// `lictor up` on a state directory of another version: a newer one is refused; one without a version has the first layout.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

let recorder: Recorder;
let gateway: Gateway;
beforeAll(async () => {
  recorder = await startRecorder();
  gateway = await startGateway({ upstream: recorder });
});
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
});

it('a newer state is refused with what to do, by up and by every other command', async () => {
  const { secret } = await gateway.token('reader', ['viewer']);
  expect(await gateway.stop()).toEqual([]);
  expect(existsSync(join(gateway.stateDir, 'run'))).toBe(false);
  const version = join(gateway.stateDir, 'version');
  writeFileSync(version, '999\n');
  for (const command of [['up'], ['token', 'list']]) {
    const { code, output } = await gateway.lictor(...command);
    expect([code, output]).toEqual([1, expect.stringMatching(/version 999 .*run the newer Lictor/)]);
    expect(output).not.toContain('    at ');
  }
  rmSync(version);
  await gateway.up();
  expect([readFileSync(version, 'utf8'), existsSync(join(gateway.stateDir, 'backup'))]).toEqual(['1\n', false]);
  expect((await gateway.fetch('/api/flows/00000000-0000-0000-0000-000000000001', { token: secret })).status).toBe(200);
});
