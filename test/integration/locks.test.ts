// A lock shuts out at the next request and closes open sockets, with no nginx reload; unlocking lets in again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTokenText } from '../../src/identity/authn/service-token/token-text.ts';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { watchLateness, watchWaiting } from '../env/lateness.ts';
import { waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

let recorder: Recorder;
let gateway: Gateway;
let stolen: string;
let other: string;

beforeAll(async () => {
  recorder = await startRecorder();
  gateway = await startGateway({ upstream: recorder });
  stolen = (await gateway.token('stolen', ['viewer'])).secret;
  other = (await gateway.token('other', ['viewer'])).secret;
});
afterAll(async () => {
  await gateway?.close();
  await recorder?.close();
});

const PATH = '/api/flows/00000000-0000-0000-0000-000000000001';
const read = (token: string) => gateway.fetch(PATH, { token });

async function openStream(token: string) {
  const socket = openSocket(gateway.url, '/api/events/out', { first: authFrame(token) });
  await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'the socket to be authorised' });
  return socket;
}

describe('a lock', () => {
  it('on a token: refused although its decision was cached, its socket closed within 2 s, others untouched, all recorded', async () => {
    expect((await read(stolen)).status).toBe(200);
    const [taken, kept] = [await openStream(stolen), await openStream(other)];
    const { nginx, workers } = gateway.pids();
    await gateway.lictorOk('lock', 'token:stolen', '--why', 'found on a laptop');
    const [lockedAt, lateness, waiting] = [performance.now(), watchLateness(), watchWaiting(gateway.pids().control)];
    const refused = await read(stolen);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'locked' });
    expect((await taken.ended).code).toBe(1008);
    expect(performance.now() - lockedAt).toBeLessThan(2000 + 6 * lateness() + waiting());
    expect(await Promise.race([kept.ended, Promise.resolve('open')])).toBe('open');
    expect((await read(other)).status).toBe(200);
    expect(gateway.pids()).toMatchObject({ nginx, workers });
    const denials = async () => jsonLines(await gateway.lictorOk('audit', '--principal', 'token:stolen', '--decision', 'deny', '--json'));
    await waitFor(async () => (await denials()).length >= 2, { what: 'the records', everyMs: 200 });
    for (const record of await denials()) expect(record).toMatchObject({ reason: 'locked', principal: 'token:stolen' });
    await gateway.lictorOk('unlock', 'token:stolen');
    expect((await read(stolen)).status).toBe(200);
    kept.close();
  });

  it('on an account: its session and its login; the other account and the health page go on', async () => {
    const [alice, bob] = [await gateway.account('alice', 'viewer'), await gateway.account('bob', 'viewer')];
    const session = await gateway.login({ name: 'alice', password: alice.password });
    expect((await gateway.fetch(PATH, { session })).status).toBe(200);
    await gateway.lictorOk('lock', 'alice@local', '--for', '1h');
    expect((await gateway.fetch(PATH, { session })).status).toBe(403);
    await expect(gateway.login({ name: 'alice', password: alice.password })).rejects.toThrow();
    const free = await gateway.login({ name: 'bob', password: bob.password });
    expect((await gateway.fetch(PATH, { session: free })).status).toBe(200);
    const explained = JSON.parse(await gateway.lictorOk('explain', 'alice@local', 'flows.read', '--json'));
    expect(JSON.stringify(explained)).toContain('locked');
    await gateway.lictorOk('unlock', 'alice@local');
    expect((await gateway.fetch(PATH, { session })).status).toBe(200);
  });

  it('on a client address: nothing but health and ready, also without a credential', async () => {
    await gateway.lictorOk('lock', 'address:127.0.0.0/8');
    try {
      for (const path of [PATH, '/.lictor/login', '/api/health', '/dashboard'])
        expect([path, (await gateway.fetch(path, { token: other })).status]).toEqual([path, 403]);
      expect((await gateway.fetch('/.lictor/health', { token: other })).status).toBe(200);
      expect((await gateway.fetch('/.lictor/health/x', { token: other })).status).not.toBe(200);
      // A probe is only counted. The gateway has answered those of its start too.
      const own = jsonLines(await gateway.lictorOk('audit', '--json')).map(({ path }) => path);
      expect(own.filter((path) => ['/.lictor/health', '/.lictor/ready', '/.lictor/health/x'].includes(String(path)))).toEqual(['/.lictor/health/x']);
    } finally {
      await gateway.lictorOk('unlock', 'address:127.0.0.0/8');
    }
    expect((await read(other)).status).toBe(200);
  });
});

it('a leaked token: the commands of the page revoke it and show what it did and each later attempt; a guess names nobody', async () => {
  const leaked = await gateway.token('ci', ['viewer']);
  expect((await read(leaked.secret)).status).toBe(200);
  const [revoke, ...audits] = docsBlock('how-to/lock-out.md', 'lictor token revoke ci')
    .trim()
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().split(/ +/).slice(1));
  await gateway.lictorOk(...(revoke ?? []));
  expect((await read(leaked.secret)).status).toBe(401);
  expect((await read(createTokenText(leaked.id).text)).status).toBe(401);
  const [before, after] = audits.map((words) => async () => jsonLines(await gateway.lictorOk(...words, '--json')));
  await waitFor(async () => (await after?.())?.length === 1, { what: 'the record of the later attempt', everyMs: 200 });
  expect(await after?.()).toMatchObject([{ credential_id: leaked.id, path: PATH, decision: 'deny', status: 401 }]);
  expect(await before?.()).toMatchObject([{ decision: 'allow', path: PATH }, { decision: 'deny' }]);
  const ofToken = jsonLines(await gateway.lictorOk('audit', '--credential', leaked.id, '--json'));
  expect(ofToken.map(({ decision }) => decision)).toEqual(['allow', 'deny']);
});
