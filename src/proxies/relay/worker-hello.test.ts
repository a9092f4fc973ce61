import { afterEach, beforeEach, expect, it } from 'vitest';
import { EVENTS_IN, GOOD, openTestRelay, type TestRelay, until } from './relay.fixture.ts';

const CHANNEL = { operation: 'socket:worker-connect', path: '/api/work_pools/pool-a/workers/connect' };
const hello = (name: unknown) => JSON.stringify({ type: 'worker.hello.v1', payload: { worker_name: name, worker_type: 'process' } });

let relay: TestRelay;
beforeEach(async () => {
  relay = await openTestRelay();
});
afterEach(() => relay.close());

/** Sends these frames on a socket; answers the records after that of the socket itself. */
async function recorded(frames: readonly string[], inputs: object = CHANNEL) {
  const client = await relay.connect({ inputs: { ...inputs, token: GOOD } });
  for (const frame of frames) client.socket.send(frame);
  await until(() => relay.prefect.frames.length === frames.length + 1, 'the frames');
  expect(relay.prefect.frames.slice(1)).toEqual(frames);
  return relay.records.slice(1);
}

it('records the worker with the principal of its token, and passes the frame unchanged', async () => {
  const found = await recorded([hello('etl-1'), '{"type":"worker.heartbeat.v1"}']);
  expect(found).toMatchObject([
    {
      action: 'worker.connect',
      resource_type: 'Worker',
      resource_id: 'etl-1',
      principal: 'token:etl',
      decision: 'allow',
      request_id: null,
      path: CHANNEL.path,
    },
  ]);
});

it('lists a worker while its channel is open, with the time of its latest frame', async () => {
  const started = relay.state.now;
  const { socket, closed } = await relay.connect({ inputs: { ...CHANNEL, token: GOOD } });
  expect(relay.relay.workers()).toEqual([]);
  socket.send(hello('etl-1'));
  await until(() => relay.relay.workers().length === 1, 'the worker');
  const etl = { pool: 'pool-a', name: 'etl-1', principal: 'token:etl', sinceMs: started, heardMs: started };
  expect(relay.relay.workers()).toEqual([etl]);
  relay.state.now += 30_000;
  socket.send('{"type":"worker.heartbeat.v1"}');
  await until(() => relay.relay.workers()[0]?.heardMs !== started, 'the heartbeat');
  expect(relay.relay.workers()).toEqual([{ ...etl, heardMs: started + 30_000 }]);
  socket.close();
  await closed;
  await until(() => relay.relay.workers().length === 0, 'the end of the channel');
});

it('reads a name only from the first frame of a channel', async () => {
  expect(await recorded(['{"type":"worker.heartbeat.v1"}', hello('late')])).toEqual([]);
});

it.each([
  ['no JSON', 'hello'],
  ['another frame', '{"type":"auth","payload":{"worker_name":"x"}}'],
  ['no name', hello(7)],
  ['a list', '[]'],
])('passes %s without a record', async (_what, frame) => expect(await recorded([frame])).toEqual([]));

it('does not look at other sockets', async () => {
  expect(await recorded([hello('etl-1')], EVENTS_IN)).toEqual([]);
});

const template = (env: object) => ({ job_configuration: { env: '{{ env }}' }, variables: { properties: { env: { type: 'object', default: env } } } });
const withTemplate = (env: object) =>
  JSON.stringify({ type: 'worker.hello.v1', payload: { worker_name: 'etl-1', create_pool_if_not_found: true, default_base_job_template: template(env) } });

it('passes the template of a pool', async () => {
  expect(await recorded([withTemplate({ TZ: 'UTC' })])).toMatchObject([{ resource_id: 'etl-1' }]);
});

it('ends a channel whose template has a schema that leads to another address, and passes one that refers to itself', async () => {
  const withSchema = (ref: string) =>
    JSON.stringify({
      type: 'worker.hello.v1',
      payload: { worker_name: 'etl-1', default_base_job_template: { job_configuration: {}, variables: { properties: { x: { $ref: ref } } } } },
    });
  expect(await recorded([withSchema('#/definitions/x')])).toMatchObject([{ resource_id: 'etl-1' }]);
  const seen = relay.prefect.frames.length;
  const client = await relay.connect({ inputs: { ...CHANNEL, token: GOOD } });
  client.socket.send(withSchema('http://169.254.169.254/'));
  expect(await client.closed).toMatchObject({ code: 1008 });
  await until(() => relay.records.some(({ reason }) => reason === 'body-invalid'), 'the record');
  expect(relay.prefect.frames.slice(seen).join()).not.toContain('169.254');
});

it.each([
  ['says how its runs reach the gateway', withTemplate({ prefect_api_url: 'http://elsewhere' })],
  ['has the worker give away its own environment', withTemplate({ STOLEN: '{{ $PREFECT_CLIENT_CUSTOM_HEADERS }}' })],
  ['makes its jobs those of another run', withTemplate({}).replace('"{{ env }}"', '"{{ env }}","labels":{"prefect.io/flow-run-id":"x"}')],
  ['is named twice, once harmless', withTemplate({ PREFECT_API_KEY: 'x' }).replace(/\}$/, `,"payload":{"worker_name":"etl-1"}}`)],
  ['stands beside what is no number', withTemplate({ PREFECT_API_KEY: 'x' }).replace('true', 'NaN')],
])('ends a channel whose template %s, records it, and Prefect sees nothing of it', async (_what, frame) => {
  const client = await relay.connect({ inputs: { ...CHANNEL, token: GOOD } });
  client.socket.send(frame);
  expect(await client.closed).toMatchObject({ code: 1008, reason: expect.stringContaining('PREFECT_API') });
  await until(() => relay.records.length === 2, 'the record');
  expect(relay.records[1]).toMatchObject({ decision: 'deny', reason: 'env-reserved', action: 'worker.connect', principal: 'token:etl' });
  expect(relay.prefect.frames.length).toBe(1);
});
