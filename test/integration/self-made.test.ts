// tls: { self_made: true }: a stock client that was given the authority works, sockets too; one that was not is refused by itself.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { certificateHosts } from '../../src/config/certificates/hosts.ts';
import { makeAuthority, makeServerCertificate } from '../../src/config/certificates/make.ts';
import { ownCertificatePaths } from '../../src/config/state-dir.ts';
import { stockClient } from '../env/client.ts';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, runLictor, startGateway } from '../env/gateway.ts';
import { workersAfter } from '../env/gateway-processes.ts';
import { directTo, sharedPrefect } from '../env/prefect.ts';
import { run, signalProcess, waitFor } from '../env/process.ts';
import { diagnose, linesOf } from './doctor/room.ts';
import { suiteOutcomes } from './stock/session.ts';

const HOSTS = certificateHosts({ hostname: 'localhost' });
const DAY_MS = 86_400_000;

let gateway: Gateway;
let secret: string;
beforeAll(async () => {
  gateway = await startGateway({ upstream: sharedPrefect(), tls: { self_made: true } });
  secret = (await gateway.token('stock', ['deployer', 'worker'])).secret;
});
afterAll(() => gateway?.close());

const paths = () => ownCertificatePaths(gateway.stateDir);

function client(caFile: string) {
  const { venv } = sharedPrefect();
  return stockClient({ venv, url: gateway.url, credential: { carrier: 'auth-string', token: secret }, settings: { PREFECT_API_SSL_CERT_FILE: caFile } });
}

/** Serial number of what is served; rejects unless it verifies by the authority. */
function servedSerial(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: 'localhost', port: gateway.port, servername: 'localhost', ca: readFileSync(paths().caFile) }, () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

it('a stock client with the authority runs a flow; its task runs arrive by the socket', async () => {
  const prefect = client(paths().caFile);
  const finished = await prefect.python(['suite.py', 'mapped'], 240_000);
  const outcome = suiteOutcomes(finished.output).get('mapped');
  expect(outcome, finished.output).toMatchObject({ ok: true, state: 'COMPLETED' });
  const server = directTo(sharedPrefect());
  const count = async () => (await server.taskRunStates(String(outcome?.['flow_run_id'])))['COMPLETED'] ?? 0;
  await waitFor(async () => (await count()) === 100, { what: 'all task runs', timeoutMs: 60_000 });
}, 360_000);

it('and one with another authority, or none, does not get as far as its credential', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lictor-test-ca-'));
  const foreign = join(dir, 'ca.pem');
  writeFileSync(foreign, (await makeAuthority(HOSTS, Date.now())).certificate);
  const finished = await client(foreign).prefect(['flow-run', 'ls'], 240_000);
  expect([finished.code === 0, finished.output]).toEqual([false, expect.stringContaining('CERTIFICATE_VERIFY_FAILED')]);
  rmSync(dir, { recursive: true });
}, 300_000);

it('the commands of docs/how-to/certificates.md give the authority to clients, and prove that it is needed', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'lictor-test-ca-'));
  const here = (text: string): string =>
    text
      .replaceAll('/var/lib/lictor', gateway.stateDir)
      .replaceAll(/\/etc\/ssl\/((?:prefect|all)-ca)/g, join(dir, '$1'))
      .replaceAll('https://prefect.example.com', gateway.url);
  const [install, joined, prove = ''] = ['install -m 644', 'cat /etc/ssl/certs', 'curl -s -o'].map((beginning) =>
    here(docsBlock('how-to/certificates.md', beginning)),
  );
  const script = `${install}\n${joined}\n${prove.trim()} || echo "not trusted: $?"\ncurl -s -o /dev/null -w '%{http_code}' --cacert ${dir}/all-ca.pem ${gateway.url}/.lictor/health`;
  const { output } = await run({ name: 'certificates', command: 'sh', args: ['-c', script], env: { PATH: process.env['PATH'] } });
  expect(output).toMatch(/^200\ncurl: \(60\).*not trusted: 60\n200$/s);
  rmSync(dir, { recursive: true });
});

it("is what Python's strictest check asks for", async () => {
  const program = `import socket, ssl
context = ssl.create_default_context(cafile=${JSON.stringify(paths().caFile)})
context.verify_flags |= ssl.VERIFY_X509_STRICT
for name in ("localhost", "127.0.0.1"):
    with socket.create_connection(("127.0.0.1", ${gateway.port})) as raw, context.wrap_socket(raw, server_hostname=name) as tls:
        print("verified", name, tls.version())
`;
  const { output } = await client(paths().caFile).python(['-c', program]);
  expect(output).toContain('verified localhost TLSv1.3\nverified 127.0.0.1 TLSv1.3');
});

it('is reported at the start, and doctor names it', async () => {
  expect(gateway.terminal()).toContain(`PREFECT_API_SSL_CERT_FILE=${paths().caFile}`);
  const found = await diagnose(gateway);
  expect(found.lines.filter(({ group, status }) => group === 'certificates' && status !== 'ok')).toEqual([]);
  expect(linesOf(found, 'certificates', 'authority')).toMatchObject([{ message: expect.stringContaining(paths().caFile) }]);
  // On a busy machine a socket may be late; none may be refused for the certificate.
  expect(found.failures.filter((message) => /certificate|signed|CERT_/i.test(message))).toEqual([]);
});

describe('while it runs', () => {
  it('a certificate that is due is made anew; open sockets stay', async () => {
    const authority = { certificate: readFileSync(paths().caFile, 'utf8'), key: readFileSync(paths().caKeyFile, 'utf8') };
    const ca = authority.certificate;
    const socket = new WebSocket(`${gateway.url.replace('https', 'wss')}/api/events/out`, ['prefect'], { ca, headers: { authorization: `Bearer ${secret}` } });
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    const [before, { workers }] = [await servedSerial(), gateway.pids()];
    // As it will be in seventy days: made by the same authority, long ago.
    const old = await makeServerCertificate(authority, HOSTS, Date.now() - 70 * DAY_MS);
    writeFileSync(paths().serverFile, old.certificate + old.key);
    signalProcess(gateway.pids().supervisor, 'SIGHUP');
    await waitFor(async () => (await servedSerial()) !== before, { what: 'the new certificate to be served', timeoutMs: 60_000 });
    expect(readFileSync(paths().serverFile, 'utf8')).not.toContain(old.certificate);
    expect(readFileSync(paths().caFile, 'utf8')).toBe(authority.certificate);
    const pong = new Promise((resolve) => socket.once('pong', resolve));
    socket.ping();
    await pong;
    socket.close();
    await workersAfter(workers, gateway.pids);
  }, 90_000);

  it('broken files are reported by a reload and by check, and the former certificate stays in use', async () => {
    const [before, good] = [await servedSerial(), readFileSync(paths().serverFile, 'utf8')];
    const refused = async () => jsonLines(await gateway.lictorOk('audit', '--action', 'config.reload', '--decision', 'deny', '--json')).length;
    const earlier = await refused();
    writeFileSync(paths().serverFile, 'nonsense');
    signalProcess(gateway.pids().supervisor, 'SIGHUP');
    await waitFor(async () => (await refused()) > earlier, { what: 'the refused reload', timeoutMs: 30_000, everyMs: 200 });
    await gateway.says('server.pem holds no PEM certificate');
    expect(await runLictor(['check'], gateway)).toMatchObject({ code: 1, output: expect.stringContaining('server.pem holds no PEM certificate') });
    expect(await servedSerial()).toBe(before);
    expect(readFileSync(paths().serverFile, 'utf8')).toBe('nonsense');
    writeFileSync(paths().serverFile, good);
    expect(await runLictor(['check'], gateway)).toMatchObject({ code: 0 });
  }, 90_000);
});
