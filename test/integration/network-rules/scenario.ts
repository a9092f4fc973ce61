// Runs in a separate network (own-network.ts): a server in place of Prefect, the rules of nftables, and probes from addresses of the gateway and of a worker.
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { probe } from '../../../src/operations/doctor/outside/http-probe.ts';
import { addressesOf, checkOtherAddresses } from '../../../src/operations/doctor/outside/other-addresses.ts';
import { networkRules } from '../../../src/operations/migrate/network-rules.ts';
import { MACHINE, MACHINE_SIX } from '../../env/own-network.ts';

const [GATEWAY, WORKER, WORKER_SIX] = ['10.77.0.5', '10.77.0.20', 'fd77::20'];
for (const address of [`${GATEWAY}/24`, `${WORKER}/24`]) execFileSync('ip', ['addr', 'add', address, 'dev', 'inside']);
execFileSync('ip', ['-6', 'addr', 'add', `${WORKER_SIX}/64`, 'dev', 'inside', 'nodad']);

const server = createServer((request, response) => {
  const isHealth = request.url === '/api/health';
  response.writeHead(isHealth ? 200 : 401, { 'content-type': 'application/json' }).end(isHealth ? 'true' : '{"exception_message":"Unauthorized"}');
});
await new Promise<void>((resolve) => server.listen(4200, '::', resolve));

/** What the probe of the page prints, or how curl fails. */
function curl(from: string, to: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile('curl', ['-sS', '--max-time', '5', '--interface', from, `http://${to}:4200/api/health`], (error, stdout, stderr) =>
    resolve(error === null ? stdout : stderr.trim()),
  );
  return promise;
}

function load(subject: Parameters<typeof networkRules>[0][number]): void {
  const input = networkRules([subject])[0]?.text ?? '';
  for (const args of [
    ['-c', '-f', '-'],
    ['-f', '-'],
  ]) {
    const { status, stderr } = spawnSync('nft', args, { input });
    if (status !== 0) throw new Error(String(stderr));
  }
}

const byPage = async () => ({
  gateway: await curl(GATEWAY, MACHINE),
  worker: await curl(WORKER, MACHINE),
  workerSix: await curl(WORKER_SIX, `[${MACHINE_SIX}]`),
});
const byDoctor = async () => (await checkOtherAddresses({ url: 'http://127.0.0.1:4200', probe }, addressesOf())).map(({ status }) => status);

const before = { probes: await byPage(), doctor: await byDoctor() };
load({ url: `http://${MACHINE}:4200`, gateway: GATEWAY });
const far = await byPage();
execFileSync('nft', ['delete', 'table', 'inet', 'prefect']);
load({ url: 'http://127.0.0.1:4200', gateway: '127.0.0.1' });
const near = { probes: await byPage(), loopback: await curl('127.0.0.1', '127.0.0.1'), doctor: await byDoctor() };
server.close();
console.log(JSON.stringify({ before, far, near }));
