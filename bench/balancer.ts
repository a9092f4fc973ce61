// HAProxy in front of everything that `lictor bench --nodes` compares: what it costs, it costs all of them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Running } from '../demo/running.ts';
import { startProcess } from '../src/operations/supervise/processes/start-process.ts';

export interface Balanced {
  readonly port: number;
  /** Ports on loopback, which take requests in turn. */
  readonly to: readonly number[];
}

export async function startBalancer({ root, running }: { readonly root: string; readonly running: Running }, fronts: readonly Balanced[]): Promise<void> {
  const file = join(root, 'haproxy.cfg');
  writeFileSync(file, `${DEFAULTS}${fronts.map(renderFront).join('')}`);
  await running.add((isEnding) =>
    startProcess({
      name: 'haproxy',
      command: 'haproxy',
      args: ['-db', '-f', file],
      logFile: join(root, 'haproxy.log'),
      ready: async () => isEnding() || (await fetch(`http://127.0.0.1:${fronts[0]?.port}/`)).ok,
    }),
  );
}

const DEFAULTS = `defaults
    mode http
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    http-reuse always
`;

function renderFront({ port, to }: Balanced): string {
  return `listen front${port}
    bind 127.0.0.1:${port}
    http-request set-header X-Forwarded-For %[src]
${to.map((each) => `    server s${each} 127.0.0.1:${each}\n`).join('')}`;
}
