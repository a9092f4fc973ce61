// docs/how-to/behind-a-proxy.md: a gateway with its configuration behind a proxy with one of its configurations, and what holds behind each of them.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { selfSigned } from './certificate.ts';
import { docsBlock } from './docs.ts';
import { freePort } from './free-port.ts';
import { type Gateway, jsonLines, startGateway, type Token } from './gateway.ts';
import { type Running, start } from './process.ts';
import { type Recorder, startRecorder } from './upstream-recorder.ts';

const PAGE = 'how-to/behind-a-proxy.md';
const CLIENT = '127.0.0.9';
const FORGED = { 'x-forwarded-for': '203.0.113.7' };

export interface Behind {
  readonly directory: string;
  /** Of the proxy: https. */
  readonly port: number;
  readonly upstream: Recorder;
  readonly gateway: Gateway;
  readonly token: Token;
  /** Through the proxy, or `direct` to the gateway. */
  ask(options: RequestOptions, direct?: boolean): Promise<IncomingMessage>;
  close(): Promise<void>;
}

/** What a proxy is started with: PEM files, its port, the port of what it forwards to. */
export interface Front {
  readonly directory: string;
  readonly port: number;
  readonly to: number;
  readonly cert: string;
  readonly key: string;
}

export type StartFront = (front: Front, ready: () => Promise<boolean>) => Promise<Running>;

/** With the configuration of a page. */
export async function startBehind(startFront: StartFront, page = PAGE): Promise<Behind> {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-front-'));
  // The workers of an nginx that root starts are another user.
  chmodSync(directory, 0o711);
  const [port, upstream] = [await freePort(), await startRecorder()];
  const { pathname } = new URL(parse(docsBlock(page, 'public_url:')).public_url);
  const gateway = await startGateway({
    ...(pathname !== '/' && { basePath: pathname }),
    upstream: { url: upstream.url, authString: 'gate:way' },
    yaml: (place) => configuration(page, place, { port, upstream: upstream.url }),
  });
  const token = await gateway.token('ci', ['viewer']);
  const ask: Behind['ask'] = (options, direct = false) => send(options, { front: port, direct: direct ? gateway.port : undefined });
  const ready = async () => (await ask({ path: `${new URL(gateway.url).pathname.replace(/\/$/, '')}/.lictor/ready` })).statusCode === 200;
  const front = await startFront({ directory, port, to: gateway.port, ...(await selfSigned(directory)) }, ready);
  return {
    ...{ directory, port, upstream, gateway, token, ask },
    async close() {
      await front.stop();
      await gateway.close();
      await upstream.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

interface Ends {
  readonly port: number;
  readonly upstream: string;
}

function configuration(page: string, { url, stateDir }: { readonly url: string; readonly stateDir: string }, { port, upstream }: Ends): string {
  return docsBlock(page, 'public_url:')
    .replace(/https:\/\/(?:prefect\.)?example\.com/, `https://localhost:${port}`)
    .replace('127.0.0.1:8200', `127.0.0.1:${new URL(url).port}`)
    .replace('http://127.0.0.1:4200', upstream)
    .replace('/etc/lictor/prefect-auth', join(stateDir, 'prefect-auth'));
}

/** nginx with a `server` of a page. */
export async function startNginx({ directory, port, to, cert, key }: Front, server: string, ready: () => Promise<boolean>): Promise<Running> {
  const here = server
    .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
    .replace('prefect.example.com', 'localhost')
    .replaceAll(/127\.0\.0\.1:(?:8200|4200)/g, `127.0.0.1:${to}`)
    .replaceAll('/etc/nginx/chain.pem', cert)
    .replaceAll('/etc/nginx/key.pem', key)
    .replaceAll('/etc/nginx', directory);
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${directory}/${kind};`).join('\n');
  const file = join(directory, `nginx-${port}.conf`);
  writeFileSync(file, `daemon off;\npid ${file}.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${here}\n}\n`);
  return await start({ name: 'nginx in front', command: 'nginx', args: ['-c', file], env: process.env, ready });
}

export const nginxOfPage: StartFront = (front, ready) => startNginx(front, docsBlock(PAGE, 'map $http_upgrade'), ready);

export async function haproxyOfPage({ directory, port, to, cert, key }: Front, ready: () => Promise<boolean>): Promise<Running> {
  const pem = join(directory, 'prefect.pem');
  writeFileSync(pem, `${readFileSync(cert, 'utf8')}${readFileSync(key, 'utf8')}`);
  const text = docsBlock(PAGE, 'defaults').replace('bind :443', `bind 127.0.0.1:${port}`).replace('/etc/haproxy/prefect.pem', pem);
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, text.replace('127.0.0.1:8200', `127.0.0.1:${to}`));
  return await start({ name: 'HAProxy in front', command: 'haproxy', args: ['-db', '-f', file], env: process.env, ready });
}

export async function caddyOfPage({ directory, port, to, cert, key }: Front, ready: () => Promise<boolean>): Promise<Running> {
  const site = docsBlock(PAGE, 'prefect.example.com {').replace(
    'prefect.example.com {',
    `https://localhost:${port} {\n    bind 127.0.0.1\n    tls ${cert} ${key}`,
  );
  const file = join(directory, 'Caddyfile');
  writeFileSync(file, `{\n    admin off\n    auto_https disable_redirects\n}\n${site.replace('127.0.0.1:8200', `127.0.0.1:${to}`)}`);
  const env = { ...process.env, HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory };
  return await start({ name: 'Caddy in front', command: 'caddy', args: ['run', '--config', file, '--adapter', 'caddyfile'], env, ready });
}

function send(options: RequestOptions, ports: { readonly front: number; readonly direct: number | undefined }): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const whole = { host: '127.0.0.1', localAddress: CLIENT, rejectUnauthorized: false, servername: 'localhost', ...options };
  const headers = { host: `localhost:${ports.front}`, ...options.headers };
  const sent = ports.direct === undefined ? httpsRequest({ ...whole, headers, port: ports.front }) : httpRequest({ ...whole, headers, port: ports.direct });
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
async function recordedAddress({ gateway }: Behind, answer: IncomingMessage): Promise<unknown> {
  const id = String(answer.headers['x-request-id']);
  const find = async () => jsonLines(await gateway.lictorOk('audit', '--json')).find(({ request_id: found }) => found === id)?.['source_ip'];
  await expect.poll(find, { timeout: 20_000 }).toBeDefined();
  return await find();
}

/** The tests that hold behind each proxy of the page. */
export function behindAnyProxy(behind: () => Behind): void {
  const credential = () => ({ 'x-lictor-token': behind().token.secret });

  it("records the client's address, whatever the client writes into the header", async () => {
    const answer = await behind().ask({ path: '/api/version', headers: { ...credential(), ...FORGED } });
    expect([answer.statusCode, await recordedAddress(behind(), answer)]).toEqual([200, CLIENT]);
  });

  it('believes no header of a client that reaches the gateway without the proxy', async () => {
    const answer = await behind().ask({ path: '/api/version', headers: { ...credential(), ...FORGED } }, true);
    expect([answer.statusCode, await recordedAddress(behind(), answer)]).toEqual([200, CLIENT]);
  });

  it('passes the target as the client wrote it', async () => {
    behind().upstream.clear();
    await behind().ask({ path: '/api/variables/name/a%20b?x=%2F', headers: credential() });
    expect(
      behind()
        .upstream.seen()
        .map(({ target }) => target),
    ).toEqual(['/api/variables/name/a%20b?x=%2F']);
  });

  it('passes the upgrade of a socket, and refuses a client without a credential', async () => {
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    const socket = await behind().ask({ path: '/api/events/out', headers: { ...upgrade, 'sec-websocket-protocol': 'prefect' } });
    expect(socket.statusCode).toBe(101);
    expect((await behind().ask({ path: '/api/version' })).statusCode).toBe(401);
  });
}
