// `lictor rotate upstream`: Prefect takes one credential at a time, and no request fails while it changes from one to the other.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { type Finished, waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

let recorder: Recorder;
let gateway: Gateway;
let token: string;
let file: string;
beforeAll(async () => {
  recorder = await startRecorder();
  recorder.demand(recorder.authString);
  gateway = await startGateway({ upstream: recorder, config: { limits: [{ for: '*', rate: '5000/s', burst: 10000 }] } });
  token = (await gateway.token('load', ['deployer', 'worker'])).secret;
  file = join(gateway.stateDir, 'prefect-auth');
});
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
});

const next = () => `${file}.next`;
const present = () => readFileSync(file, 'utf8').trim();

interface Asking {
  readonly method?: string;
  readonly body?: string;
}

/** On a new connection: at a reload nginx closes idle ones, and a client does not notice that at once. */
function ask(path: string, { method = 'GET', body = '' }: Asking): Promise<{ readonly status: number; readonly waits: boolean; readonly body: string }> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': String(body.length) };
  return new Promise((resolve) => {
    const asked = request(`${gateway.url}${path}`, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.once('close', () => resolve({ status: response.statusCode ?? 0, waits: response.headers['prefect-maintenance'] === 'true', body: text }));
    });
    asked.once('error', (error) => resolve({ status: 0, waits: false, body: error.message }));
    asked.end(body);
  });
}

/** Without it the requests themselves would take all of the machine. */
const PAUSE_MS = 20;

interface Load {
  stop(): Promise<readonly string[]>;
}

/** Direct reads, direct writes and mediated writes, one after the other from several clients, until it is stopped; answers what failed. */
function startLoad(clients = 2): Load {
  const failures: string[] = [];
  let running = true;
  const kinds: readonly [string, Asking][] = [
    ['/api/work_pools/p', {}],
    ['/api/flow_runs/filter', { method: 'POST', body: '{}' }],
    ['/api/logs/', { method: 'POST', body: '[]' }],
    ['/api/variables/', { method: 'POST', body: '{"name":"x","value":1}' }],
  ];
  const loop = async (): Promise<void> => {
    while (running) {
      for (const [path, init] of kinds) {
        const { status, waits, body } = await ask(path, init);
        // Prefect changing in the middle of one request: nothing was done, and stock clients wait without counting.
        if (status !== 200 && !(status === 503 && waits)) failures.push(`${init.method ?? 'GET'} ${path}: ${status} ${body}`);
        await wait(PAUSE_MS);
      }
    }
  };
  const loops = Promise.all(Array.from({ length: clients }, loop));
  return {
    async stop() {
      running = false;
      await loops;
      return failures;
    },
  };
}

async function opensSocket(): Promise<boolean> {
  const socket = openSocket(gateway.url, '/api/events/in', { first: authFrame(`any:${token}`) });
  await waitFor(() => socket.frames().length > 0 || undefined, { what: 'the greeting' });
  const event = { id: crypto.randomUUID(), occurred: '2026-03-01T12:00:00Z', event: 'order.created', resource: { 'prefect.resource.id': 'order.1' } };
  socket.send(event);
  await waitFor(() => recorder.laterFrames().some((frame) => frame.includes(event.id)), { what: 'an event at Prefect', timeoutMs: 30_000 });
  socket.close();
  return (await socket.ended).code !== 1008;
}

/** The one that sudo runs: its files are here, and what restarts Prefect only says so. */
function scriptOfDocs() {
  const [script, env, started] = ['renew', 'server.env', 'started'].map((name) => join(gateway.stateDir, name)) as [string, string, string];
  const text = docsBlock('how-to/rotate-prefect-credential.md', '#!/bin/sh\n# Writes the new auth string');
  const here = text.replace('runuser -u lictor -- ', '').replace('/etc/prefect/server.env', env).replace('/etc/lictor/upstream/prefect-auth.next', next());
  writeFileSync(script, here.replace('systemctl restart prefect-server', `touch ${started}`));
  writeFileSync(env, 'PREFECT_SERVER_API_AUTH_STRING=gateway:old\nA=1\n');
  return { script, env, started };
}

async function records(): Promise<readonly unknown[]> {
  return jsonLines(await gateway.lictorOk('audit', '--json')).flatMap(({ action }) => (String(action).startsWith('upstream.') ? [action] : []));
}

function expectNoSecret({ output }: Finished, ...secrets: string[]): void {
  for (const secret of secrets) expect(output).not.toContain(secret.split(':')[1]);
}

describe('rotate upstream', () => {
  let load: Load;
  beforeEach(() => {
    load = startLoad();
  });
  afterEach(() => load.stop());

  it('shows Prefect both until it takes the new one; no request and no socket fails, and the old one is gone', async () => {
    const old = present();
    const started = join(gateway.stateDir, 'asked-to-start');
    const rotation = gateway.lictor('rotate', 'upstream', '--', 'touch', started);
    await waitFor(() => existsSync(started), { what: 'the command that starts Prefect', timeoutMs: 60_000 });
    const fresh = readFileSync(next(), 'utf8').trim();
    expect(await opensSocket()).toBe(true);
    // Prefect is started with it: from one request to the next it wants the other one.
    await waitFor(() => recorder.seen().length > 50, { what: 'load before the change' });
    recorder.demand(fresh);
    recorder.clear();
    expect(await opensSocket()).toBe(true);
    const finished = await rotation;
    expect(finished.code, finished.output).toBe(0);
    expect(await opensSocket()).toBe(true);
    recorder.clear();
    await waitFor(() => recorder.seen().length > 50, { what: 'load after the change' });
    expect(await load.stop()).toEqual([]);
    expect(present()).toBe(fresh);
    expect(existsSync(next())).toBe(false);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(fresh).toMatch(/^gateway:[\w-]{43}$/);
    // From then on nobody is shown the old one.
    const shown = new Set(recorder.seen().map(({ headers }) => headers['authorization']));
    expect(shown).toEqual(new Set([`Basic ${Buffer.from(fresh).toString('base64')}`]));
    expectNoSecret(finished, old, fresh);
    expect(await records()).toEqual(['upstream.rotate_begin', 'upstream.rotate']);
  });

  it('waits at most the given time, and continues when it runs again, with a command that starts Prefect', async () => {
    const early = await gateway.lictor('rotate', 'upstream', '--wait', '1s');
    expect(early.code).toBe(1);
    expect(early.output).toContain('run this again');
    const fresh = readFileSync(next(), 'utf8').trim();
    const { script, env, started } = scriptOfDocs();
    const rotation = gateway.lictor('rotate', 'upstream', '--', 'sh', script);
    await waitFor(() => existsSync(started), { what: 'the script that restarts Prefect', timeoutMs: 30_000 });
    expect(readFileSync(env, 'utf8')).toBe(`A=1\nPREFECT_SERVER_API_AUTH_STRING=${fresh}\n`);
    expect(statSync(env).mode & 0o077).toBe(0);
    recorder.demand(fresh);
    expect((await rotation).code).toBe(0);
    expect(await load.stop()).toEqual([]);
    expect(present()).toBe(fresh);
  });

  it('is given up, but not when Prefect has the new one already', async () => {
    const old = present();
    await gateway.lictor('rotate', 'upstream', '--wait', '1s');
    recorder.demand(readFileSync(next(), 'utf8').trim());
    const refused = await gateway.lictor('rotate', 'upstream', '--abort');
    expect([refused.code, refused.output]).toEqual([1, expect.stringContaining('takes the new credential already')]);
    recorder.demand(old);
    expect(await gateway.lictorOk('rotate', 'upstream', '--abort')).toContain('keeps its credential');
    expect(existsSync(next())).toBe(false);
    expect(await load.stop()).toEqual([]);
    expect(present()).toBe(old);
  });
});

describe('a credential from a file', () => {
  it.each([
    ['an example', 'admin:pass', /stands in examples/],
    ['no auth string', 'nonsense', /user:password/],
  ])('is not %s', async (_what, content, words) => {
    const offered = join(gateway.stateDir, 'offered');
    writeFileSync(offered, content, { mode: 0o600 });
    const refused = await gateway.lictor('rotate', 'upstream', '--from', offered);
    expect([refused.code, refused.output]).toEqual([2, expect.stringMatching(words)]);
    expect(existsSync(next())).toBe(false);
  });
});

describe('a Prefect that suddenly wants another credential', () => {
  afterEach(() => recorder.demand(present()));

  it("is no client's fault: each way waits, doctor names it, and everything goes on when it agrees again", async () => {
    const waiting = openSocket(gateway.url, '/api/events/in', { first: authFrame(`any:${token}`) });
    recorder.demand('gateway:another');
    recorder.clear();
    for (const [path, asking] of [
      ['/api/work_pools/p', {}],
      ['/api/flow_runs/filter', { method: 'POST', body: '{}' }],
      ['/api/variables/', { method: 'POST', body: '{"name":"x","value":1}' }],
      ['/api/work_pools/p/workers/heartbeat', { method: 'POST', body: '{"name":"w"}' }],
    ] as const) {
      expect(await ask(path, asking), path).toMatchObject({ status: 503, waits: true, body: expect.stringContaining('"code":"upstream-unavailable"') });
    }
    const held = openSocket(gateway.url, '/api/events/in', { first: authFrame(`any:${token}`) });
    await waitFor(() => held.frames().length > 0, { what: 'the greeting' });
    const event = { id: crypto.randomUUID(), occurred: '2026-03-01T12:00:00Z', event: 'order.created', resource: { 'prefect.resource.id': 'order.1' } };
    held.send(event);
    const doctor = await gateway.lictor('doctor');
    expect([doctor.code, doctor.output]).toEqual([1, expect.stringContaining('rejects the credential (401)')]);
    expectNoSecret(doctor, present());
    recorder.demand(present());
    await waitFor(() => recorder.laterFrames().some((frame) => frame.includes(event.id)), { what: 'the event that was held', timeoutMs: 30_000 });
    expect((await ask('/api/work_pools/p', {})).status).toBe(200);
    held.close();
    waiting.close();
    expect((await held.ended).code).not.toBe(1008);
    expect((await waiting.ended).code).not.toBe(1008);
  });
});

describe('an API key', () => {
  it('is shown as Bearer and in the first frame of sockets, and replaced from a file', async () => {
    const key = join(gateway.stateDir, 'prefect-key');
    writeFileSync(key, 'pnu_one\n', { mode: 0o600 });
    recorder.demand('pnu_one');
    const cloud = await startGateway({ upstream: { url: recorder.url, authString: null }, config: { prefect: { url: recorder.url, api_key_file: key } } });
    try {
      const { secret } = await cloud.token('t', ['viewer']);
      recorder.clear();
      expect((await cloud.fetch('/api/work_pools/p', { token: secret })).status).toBe(200);
      expect(recorder.seen()[0]?.headers['authorization']).toBe('Bearer pnu_one');
      const socket = openSocket(cloud.url, '/api/events/out', { headers: { authorization: `Bearer ${secret}` }, first: authFrame(null) });
      await waitFor(() => recorder.firstFrames().length > 0, { what: 'a socket' });
      expect(JSON.parse(recorder.firstFrames()[0] ?? '')).toEqual({ type: 'auth', token: 'pnu_one' });
      socket.close();
      expect((await cloud.lictor('rotate', 'upstream')).output).toContain('--from');
      const fresh = join(gateway.stateDir, 'fresh-key');
      writeFileSync(fresh, 'pnu_two\n', { mode: 0o600 });
      const rotation = cloud.lictor('rotate', 'upstream', '--from', fresh);
      await waitFor(() => existsSync(`${key}.next`), { what: 'the key that comes', timeoutMs: 30_000 });
      recorder.demand('pnu_two');
      const finished = await rotation;
      expect(finished.code, finished.output).toBe(0);
      expect((await cloud.fetch('/api/work_pools/p', { token: secret })).status).toBe(200);
      expect(readFileSync(key, 'utf8')).toBe('pnu_two\n');
    } finally {
      await cloud.close();
    }
  });
});
