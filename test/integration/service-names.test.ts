// A service whose name is that of a part of nginx's configuration: what needs a decision with any other name needs one here too.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { bareService } from '../../src/config/service.fixture.ts';
import { request } from '../env/raw-request.ts';
import { type StubEdge, startStubEdge } from '../env/stub-edge.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

let behind: Recorder;
let edge: StubEdge;

beforeAll(async () => {
  behind = await startRecorder();
  const servers = [{ origin: behind.url, weight: 1, backup: false }];
  const services = ['socket', 'call', 'answer', 'caller', 'refusals'].map((name) =>
    bareService(name, [{ pattern: '/*', methods: ['GET'] }], { servers, sockets: true, injected: { header: 'X-Key', value: `key-of-${name}` } }),
  );
  edge = await startStubEdge({ services });
}, 60_000);
afterAll(async () => {
  await edge?.stop();
  await behind?.close();
});
beforeEach(() => {
  edge.clear();
  behind.clear();
});

it.each(['socket', 'call', 'answer', 'caller', 'refusals'])('nobody reaches %s by an Upgrade without a decision', async (name) => {
  const lines = [`GET /.lictor/svc/${name}/secret HTTP/1.1`, 'Host: localhost', 'Upgrade: websocket'];
  // No relay listens here, and such a request may find nothing else.
  const { statuses } = await request(edge.port, lines);
  expect(statuses).toHaveLength(1);
  expect(statuses[0]).toBeGreaterThanOrEqual(500);
  expect(behind.seen()).toEqual([]);
});

it.each(['socket', 'call', 'answer', 'caller', 'refusals'])('who may call %s reaches it, with its own credential', async (name) => {
  edge.decideWith((_inputs, response) => response.writeHead(200, { 'x-lictor-path': 'egress', 'x-lictor-limit': 'caller', 'cache-control': 'no-store' }).end());
  const { text, statuses } = await request(edge.port, [`GET /.lictor/svc/${name}/open HTTP/1.1`, 'Host: localhost', 'X-Lictor-Token: any']);
  expect(statuses).toEqual([200]);
  expect(text).toContain("Content-Security-Policy: sandbox; default-src 'none'");
  expect(behind.seen().map(({ target, headers }) => [target, headers['x-key']])).toEqual([['/open', `key-of-${name}`]]);
  edge.decideWith((_inputs, response) => response.writeHead(401, { 'x-lictor-path': 'no:credential-missing', 'cache-control': 'no-store' }).end());
  expect((await request(edge.port, [`GET /.lictor/svc/${name}/open HTTP/1.1`, 'Host: localhost'])).statuses).toEqual([401]);
  expect(behind.seen()).toHaveLength(1);
});
