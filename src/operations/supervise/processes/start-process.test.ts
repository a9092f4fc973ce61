import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from './free-port.ts';
import { groupMembers, isAlive } from './process-table.ts';
import { startProcess } from './start-process.ts';
import { waitFor } from './wait-for.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'processes-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const log = () => join(dir, 'process.log');
const logged = (text: string) => () => readFileSync(log(), 'utf8').includes(text);

describe('startProcess', () => {
  it('waits until the process is ready and ends it with everything it started', async () => {
    const started = await startProcess({ command: 'sh', args: ['-c', 'sleep 300 & echo up; wait'], logFile: log(), ready: logged('up') });
    await waitFor(() => groupMembers(started.pid).length === 2, { what: 'shell and sleep' });
    await started.stop();
    expect(groupMembers(started.pid)).toEqual([]);
    expect(isAlive(started.pid)).toBe(false);
  });

  it('reports a process that dies before it is ready, with the last lines of its log', async () => {
    const start = startProcess({ command: 'sh', args: ['-c', 'echo no such database >&2; exit 3'], logFile: log(), ready: () => false });
    await expect(start).rejects.toThrow(/ended before it was ready \(exit 3\).*\n.*no such database/s);
  });

  it('reports and ends a process that stays unready', async () => {
    const ready = () => waitFor(logged('\n'), { what: 'the number of the process' }).then(() => false);
    const start = startProcess({ command: 'sh', args: ['-c', 'echo $$; exec sleep 300'], logFile: log(), ready, readyTimeoutMs: 200 });
    await expect(start).rejects.toThrow(/was not ready within 200 ms/);
    expect(isAlive(Number(readFileSync(log(), 'utf8')))).toBe(false);
  });

  it('kills a group that ignores SIGTERM when the grace is over', async () => {
    const started = await startProcess({
      command: 'sh',
      args: ['-c', "trap '' TERM; echo up; while :; do sleep 300; done"],
      logFile: log(),
      ready: logged('up'),
    });
    await started.stop({ graceMs: 100 });
    expect((await started.exited).signal).toBe('SIGKILL');
    expect(groupMembers(started.pid)).toEqual([]);
  });

  it('says so when the command does not exist', async () => {
    await expect(startProcess({ command: join(dir, 'nothing'), logFile: log() })).rejects.toThrow(/cannot start nothing: is it installed/);
  });
});

describe('waitFor', () => {
  it('answers what the condition answers, and survives one that throws at first', async () => {
    let calls = 0;
    const value = await waitFor(
      () => {
        calls += 1;
        if (calls < 3) throw new Error('not yet');
        return 'there';
      },
      { what: 'something', everyMs: 1 },
    );
    expect(value).toBe('there');
  });

  it('ends with what it waited for when it never happens', async () => {
    await expect(waitFor(() => false, { what: 'the moon', timeoutMs: 20, everyMs: 5 })).rejects.toThrow('did not happen within 20 ms: the moon');
  });
});

describe('freePort', () => {
  it('names a port that can be listened on', async () => {
    const server = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    server.close();
    expect(port).toBeGreaterThan(0);
  });
});
