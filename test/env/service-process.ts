// A server of a service that a test can kill: a separate process, which answers with its name, and never ends an answer to /hold.
import { freePort } from './free-port.ts';
import { type Running, start } from './process.ts';

export interface ServiceProcess {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** Again, at the same address. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

const PROGRAM = `
const [name, port, delay] = process.argv.slice(1);
// As KEEP_ALIVE in service.ts.
require('node:http').createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  request.resume();
  if (request.url !== '/hold') request.on('end', () => setTimeout(() => response.end(name), Number(delay)));
  else response.write(name);
}).listen(Number(port), '127.0.0.1');
`;

/** `delayMs`: until it answers. */
export async function startServiceProcess(name: string, { delayMs = 5 }: { readonly delayMs?: number } = {}): Promise<ServiceProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const startIt = (): Promise<Running> =>
    start({
      name: `service ${name}`,
      command: process.execPath,
      args: ['-e', PROGRAM, name, String(port), String(delayMs)],
      env: {},
      ready: async () => (await fetch(url)).ok,
    });
  let running = await startIt();
  return {
    name,
    port,
    url,
    kill: async () => {
      running.signal('SIGKILL');
      await running.exited;
    },
    resume: async () => {
      running = await startIt();
    },
    stop: async () => void (await running.stop()),
  };
}
