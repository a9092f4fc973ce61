// A port that another process uses: at the first start the gateway reports it once and ends. A running gateway waits for it.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../env/free-port.ts';
import { runLictor, startGateway } from '../env/gateway.ts';
import { isAlive, signalGroup, signalProcess, waitFor } from '../env/process.ts';
import { startRecorder } from '../env/upstream-recorder.ts';

const directory = mkdtempSync(join(tmpdir(), 'lictor-taken-'));
const others: Server[] = [];
afterAll(() => {
  for (const other of others) other.close();
  rmSync(directory, { recursive: true, force: true });
});

async function take(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.listen({ host: '127.0.0.1', port });
  await once(server, 'listening');
  others.push(server);
  return server;
}

describe('a port that another process listens on', () => {
  it.each([
    ['listen', (port: number, free: number) => `public_url: http://localhost:${port}\nmetrics: { listen: "127.0.0.1:${free}" }\n`, ''],
    [
      'metrics.listen',
      (port: number, free: number) => `public_url: http://localhost:${free}\nmetrics: { listen: "127.0.0.1:${port}" }\nmode: observe\n`,
      'lictor: observe mode in FILE: Lictor records what the policies deny, and forwards it (lictor doctor says until when).\n',
    ],
  ])('ends the first start with one line: %s; before it the start names observe mode', async (key, text, observed) => {
    const [port, free] = [await freePort(), await freePort()];
    const other = await take(port);
    const configFile = join(directory, `${key}.yaml`);
    writeFileSync(configFile, `${text(port, free)}prefect: { url: "http://127.0.0.1:9" }\n`);
    const { code, output } = await runLictor(['up'], { configFile, stateDir: join(directory, key) });
    expect(output).toBe(`lictor: starting ...\n${observed.replace('FILE', configFile)}127.0.0.1:${port} is taken: end what listens there, or change ${key}.\n`);
    expect(code).toBe(1);
    other.close();
  });

  it('after nginx has died is had again when it is free: the gateway runs on meanwhile', async () => {
    const recorder = await startRecorder();
    const gateway = await startGateway({ upstream: recorder });
    const { supervisor, control, nginx } = gateway.pids();
    // Stopped, it cannot be quicker than we are.
    signalProcess(supervisor, 'SIGSTOP');
    // The whole group: on a busy machine nginx may be about to start its second worker.
    signalGroup(nginx, 'SIGKILL');
    const other = await waitFor(() => take(gateway.port), { what: 'the port of the dead nginx' });
    signalProcess(supervisor, 'SIGCONT');
    await waitFor(() => gateway.terminal().split('nginx ended (exit 1)').length > 2, { what: 'nginx to be started again and again' });
    expect([isAlive(supervisor), isAlive(control)]).toEqual([true, true]);
    other.close();
    await waitFor(gateway.isReady, { what: 'nginx to listen again', timeoutMs: 30_000 });
    await gateway.close();
    await recorder.close();
  });
});
