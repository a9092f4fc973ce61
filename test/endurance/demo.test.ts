// A whole `lictor demo --once`, which ends by itself. One that stays: test/integration/demo.test.ts.
import { afterAll, expect, it } from 'vitest';
import { demoDirectory, runDemo } from '../env/demo.ts';
import { freePort } from '../env/free-port.ts';
import { expectSample } from '../integration/demo/sample.ts';

const { stateDir, remaining, remove } = demoDirectory();
afterAll(remove);

it('runs the sample flow as alice, shows its timeline, and leaves nothing running', async () => {
  const port = await freePort();
  const { code, output } = await runDemo(stateDir, port, '--once');
  expect(code, output).toBe(0);
  expectSample(output, port);
  expect(output).not.toContain('log in as alice');
  expect(remaining()).toEqual([]);
}, 240_000);
