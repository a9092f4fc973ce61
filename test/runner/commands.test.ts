import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from '../../src/operations/supervise/processes/process-table.ts';
import { waitFor } from '../../src/operations/supervise/processes/wait-for.ts';
import { createHost } from '../env/commands/server.ts';
import type { Finished } from '../env/process.ts';

const FIXTURE = new URL('commands.fixture.ts', import.meta.url).href;
const ENV = { PATH: process.env['PATH'] ?? '' };

let host: ReturnType<typeof createHost>;
beforeAll(() => {
  host = createHost(FIXTURE);
});
afterAll(() => host.stop());

const run = (args: readonly string[], { env = ENV, timeoutMs = 30_000 }: { env?: Record<string, string>; timeoutMs?: number } = {}): Promise<Finished> =>
  host.run({ args, env, timeoutMs });

interface Shown {
  readonly env: Record<string, string>;
  readonly given: string;
  readonly is: string;
  readonly umask: number;
  readonly pid: number;
  readonly calls: number;
}

async function show(env?: Record<string, string>): Promise<Shown> {
  return JSON.parse((await run(['shows'], env === undefined ? {} : { env })).output);
}

describe('the host of commands', () => {
  it('answers both streams as they came, and the status', async () => {
    expect(await run(['says', 'and', 'another'])).toEqual({ code: 0, signal: null, output: 'to one\nand another\n' });
    expect(await run(['fails'])).toEqual({ code: 2, signal: null, output: '' });
  });

  it('runs several in one process, one after the other', async () => {
    const [first, second] = await Promise.all([show(), show()]);
    expect(second).toMatchObject({ pid: first.pid, calls: first.calls + 1 });
  });

  it('begins each with its own environment, and leaves it nothing of the one before', async () => {
    const before = await show({ ...ENV, ONLY: 'here' });
    expect(before.env).toEqual({ ...ENV, ONLY: 'here' });
    expect(await run(['spoils'])).toMatchObject({ code: 0 });
    const { env, given, is, umask, pid } = await show();
    expect({ env, given, is, umask, pid }).toEqual({ env: ENV, given: before.given, is: before.given, umask: before.umask, pid: before.pid });
    expect(await run(['fails'])).toMatchObject({ code: 2 });
  });

  it('ends a command when nothing is left to do, as its process would', async () => {
    expect(await run(['prints-later'])).toMatchObject({ code: 0, output: 'at last\n' });
  });

  it('takes what a command does to its process for its end, and has a new one for the next', async () => {
    const { pid } = await show();
    expect(await run(['exits'])).toEqual({ code: 5, signal: null, output: 'on its way\n' });
    expect(await run(['breaks-later'])).toMatchObject({ code: 1, output: expect.stringContaining('nobody waits for this') });
    expect((await show()).pid).not.toBe(pid);
  });

  it('stops a command that leaves something open for good', async () => {
    expect(await run(['never-ends'], { timeoutMs: 500 })).toMatchObject({ code: null, signal: 'SIGKILL' });
    expect(await run(['fails'])).toMatchObject({ code: 2 });
  });

  it('keeps what is written past the streams', async () => {
    expect((await run(['writes-past'])).output).toContain('past its stream\n');
  });

  it('is gone when its owner stops it', async () => {
    const other = createHost(FIXTURE);
    const { output } = await other.run({ args: ['shows'], env: ENV, timeoutMs: 30_000 });
    const { pid }: Shown = JSON.parse(output);
    expect(isAlive(pid)).toBe(true);
    other.stop();
    await waitFor(() => !isAlive(pid), { what: 'the host to be gone' });
  });
});
