// A server of a service that can be killed: a process of its own, which answers everything with its name, and /hold with no end.
import { freePort, type Running, start } from './process.ts';

export interface ServiceProcess {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  /** Again, at the same address. */
  resume(): Promise<void>;
}

const PROGRAM = `
const [name, port] = process.argv.slice(1);
require('node:http').createServer((request, response) => {
  request.resume();
  response.writeHead(200).flushHeaders();
  if (request.url !== '/hold') request.on('end', () => setTimeout(() => response.end(name), 5));
  else response.write(name);
}).listen(Number(port), '127.0.0.1');
`;

export async function startServiceProcess(name: string): Promise<ServiceProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const startIt = (): Promise<Running> =>
    start({
      name: `service ${name}`,
      command: process.execPath,
      args: ['-e', PROGRAM, name, String(port)],
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
  };
}
