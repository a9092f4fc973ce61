// docs/how-to/behind-a-proxy.md: its nginx in front of a gateway with its configuration. Lictor records the client's address, and believes only the proxy.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { selfSigned } from '../env/certificate.ts';
import { docsBlock } from '../env/docs.ts';
import { freePort } from '../env/free-port.ts';
import { type Gateway, jsonLines, startGateway, type Token } from '../env/gateway.ts';
import { type Running, start } from '../env/process.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const PAGE = 'how-to/behind-a-proxy.md';
const CLIENT = '127.0.0.9';
const FORGED = { 'x-forwarded-for': '203.0.113.7' };

let directory: string;
let port: number;
let front: Running;
let upstream: Recorder;
let gateway: Gateway;
let token: Token;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-test-front-'));
  [port, upstream] = [await freePort(), await startRecorder()];
  gateway = await startGateway({ upstream: { url: upstream.url, authString: 'gate:way' }, yaml: configuration });
  token = await gateway.token('ci', ['viewer']);
  front = await startFront();
});
afterAll(async () => {
  await front?.stop();
  await gateway?.close();
  await upstream?.close();
  rmSync(directory, { recursive: true, force: true });
});

function configuration({ url, stateDir }: { readonly url: string; readonly stateDir: string }): string {
  return docsBlock(PAGE, 'public_url:')
    .replace('https://prefect.example.com', `https://localhost:${port}`)
    .replace('127.0.0.1:8200', `127.0.0.1:${new URL(url).port}`)
    .replace('http://127.0.0.1:4200', upstream.url)
    .replace('/etc/lictor/prefect-auth', join(stateDir, 'prefect-auth'));
}

async function startFront(): Promise<Running> {
  const { cert, key } = await selfSigned(directory);
  const server = docsBlock(PAGE, 'map $http_upgrade')
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('prefect.example.com', 'localhost')
    .replace('127.0.0.1:8200', `127.0.0.1:${gateway.port}`)
    .replace('/etc/nginx/chain.pem', cert)
    .replace('/etc/nginx/key.pem', key);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${directory}/${kind};`).join('\n');
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, `daemon off;\npid ${directory}/pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${server}\n}\n`);
  const ready = async () => (await ask({ path: '/.lictor/ready' })).statusCode === 200;
  return await start({ name: 'nginx in front', command: 'nginx', args: ['-c', file], env: process.env, ready });
}

/** Through the proxy, or `direct` to the gateway. */
function ask(options: RequestOptions, direct = false): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const whole = { host: '127.0.0.1', localAddress: CLIENT, rejectUnauthorized: false, ...options };
  const headers = { host: `localhost:${port}`, ...options.headers };
  const sent = direct ? httpRequest({ ...whole, headers, port: gateway.port }) : httpsRequest({ ...whole, headers, port });
  const answered = (answer: IncomingMessage): void => {
    answer.resume();
    resolve(answer);
  };
  sent.on('response', answered);
  sent.on('upgrade', (answer, socket) => {
    socket.destroy();
    answered(answer);
  });
  sent.on('error', reject);
  sent.end();
  return promise;
}

/** The address on the record of an answered request. */
async function recordedAddress(answer: IncomingMessage): Promise<unknown> {
  const id = String(answer.headers['x-request-id']);
  const find = async () => jsonLines(await gateway.lictorOk('audit', '--json')).find(({ request_id: found }) => found === id)?.['source_ip'];
  await expect.poll(find, { timeout: 20_000 }).toBeDefined();
  return await find();
}

it("records the client's address, whatever the client writes into the header", async () => {
  const answer = await ask({ path: '/api/version', headers: { 'x-lictor-token': token.secret, ...FORGED } });
  expect([answer.statusCode, await recordedAddress(answer)]).toEqual([200, CLIENT]);
});

it('believes no header of a client that reaches the gateway without the proxy', async () => {
  const answer = await ask({ path: '/api/version', headers: { 'x-lictor-token': token.secret, ...FORGED } }, true);
  expect([answer.statusCode, await recordedAddress(answer)]).toEqual([200, CLIENT]);
});

it('passes the target as the client wrote it', async () => {
  upstream.clear();
  await ask({ path: '/api/variables/name/a%20b?x=%2F', headers: { 'x-lictor-token': token.secret } });
  expect(upstream.seen().map(({ target }) => target)).toEqual(['/api/variables/name/a%20b?x=%2F']);
});

it('passes the upgrade of a socket, and refuses a client without a credential', async () => {
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
  expect((await ask({ path: '/api/events/out', headers: { ...upgrade, 'sec-websocket-protocol': 'prefect' } })).statusCode).toBe(101);
  expect((await ask({ path: '/api/version' })).statusCode).toBe(401);
});
