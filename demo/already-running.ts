// One demo at a time: a pid file in its state directory, and its port still free.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { readRunningPid } from '../src/config/pid-file.ts';
import { PRIVATE_UMASK } from '../src/config/state-dir.ts';
import { LictorError } from '../src/contract/error.ts';

/** Claims the demo's state directory; answers the release. Throws `demo-running` when another demo lives in it. */
export function claimDemo(state: string): () => void {
  const file = join(state, 'demo.pid');
  mkdirSync(state, { recursive: true, mode: 0o777 & ~PRIVATE_UMASK });
  const other = readRunningPid(file, (command) => /\bdemo\b/.test(command));
  if (other !== undefined && other !== process.pid) {
    throw new LictorError('demo-running', `a demo is running already (process ${other}): end it with Ctrl-C there, or use another --state-dir.`);
  }
  writeFileSync(file, `${process.pid}\n`, { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** Throws `port-busy`, which names --port, when another process listens there. */
export async function assertPortFree(port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
  } catch (cause) {
    throw new LictorError('port-busy', `port ${port} is in use: end what listens there, or choose another one with --port N.`, { cause });
  }
  await new Promise((resolve) => server.close(resolve));
}
