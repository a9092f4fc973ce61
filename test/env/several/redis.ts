// A real Redis for a test, on a free port of loopback: nothing is written to the disk.
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { run, start } from '../process.ts';

export interface Redis {
  /** `127.0.0.1:6379`. */
  readonly address: string;
  /** Names of keys by a pattern of Redis. */
  keys(pattern: string): Promise<readonly string[]>;
  /** Ends it, and what it held is gone. */
  end(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  begin(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<Redis> {
  const home = mkdtempSync(join(tmpdir(), 'lictor-test-redis-'));
  const port = await freePort();
  const args = ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', home, '--daemonize', 'no'];
  const begin = () => start({ name: 'redis-server', command: 'redis-server', args, cwd: home, env: { PATH: process.env['PATH'] }, ready: () => answers(port) });
  let server = await begin();
  return {
    address: `127.0.0.1:${port}`,
    async keys(pattern) {
      const { output } = await run({
        name: 'redis-cli',
        command: 'redis-cli',
        args: ['-p', String(port), '--scan', '--pattern', pattern],
        env: { PATH: process.env['PATH'] },
      });
      return output.split('\n').filter((line) => line !== '');
    },
    end: () => server.stop(),
    async begin() {
      server = await begin();
    },
    async stop() {
      await server.stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(1000, () => socket.destroy());
    socket.once('data', (data) => {
      resolve(data.toString().startsWith('+PONG'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
