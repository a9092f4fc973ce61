// research row EV-01: Prefect learns states of task runs from events, so a client that can send them could rewrite a foreign run.
import { beforeAll, describe, expect, it } from 'vitest';
import { jsonLines } from '../../env/gateway.ts';
import { waitFor } from '../../env/process.ts';
import { authFrame, type OpenSocket, openSocket } from '../../env/socket.ts';
import { expectNothingUpstream, expectRefusal } from './harness.ts';
import { harness } from './one-gateway.ts';

const VICTIM = '22222222-2222-4222-8222-222222222222';
const TASK = '33333333-3333-4333-8333-333333333333';
let worker: string;
let other: string;
beforeAll(async () => {
  worker = (await harness.gateway.token('ev-worker', ['worker'])).secret;
  other = (await harness.gateway.token('ev-other', ['worker'])).secret;
});

function event(name: string, more: object = {}) {
  return { id: crypto.randomUUID(), occurred: '2026-03-01T12:00:00Z', event: name, resource: { 'prefect.resource.id': 'order.1' }, ...more };
}

const FORGED: readonly [string, string, () => object][] = [
  ['a state of a flow run', 'event-reserved', () => event('prefect.flow-run.Failed', { resource: { 'prefect.resource.id': `prefect.flow-run.${VICTIM}` } })],
  ["the gateway's own words", 'event-reserved', () => event('lictor.decision')],
  ['what reads like them', 'event-reserved', () => event('\u200bl\u0456ctor.decision')],
  ['an id that the gateway would give its own word', 'event-reserved', () => event('order.created', { id: '22222222-2222-8222-8222-222222222222' })],
  ["a resource of the gateway's own", 'event-reserved', () => event('order.created', { resource: { 'prefect.resource.id': 'Lictor.request.1' } })],
  ["a label of the gateway's own", 'event-reserved', () => event('order.created', { resource: { 'prefect.resource.id': 'order.1', 'lictor.principal': 'a' } })],
  [
    'another task run in the payload',
    'event-foreign-run',
    () =>
      event('prefect.task-run.Failed', {
        resource: { 'prefect.resource.id': `prefect.task-run.${TASK}`, 'prefect.orchestration': 'client' },
        payload: { task_run: { id: VICTIM, flow_run_id: VICTIM } },
      }),
  ],
];

async function events(token: string): Promise<OpenSocket> {
  const socket = openSocket(harness.gateway.url, '/api/events/in', { first: authFrame(`any:${token}`) });
  await waitFor(() => socket.frames().length > 0, { what: 'auth_success' });
  return socket;
}

/** What reached Prefect, once everything before `last` has. */
async function arrived(socket: OpenSocket): Promise<unknown[]> {
  const last = event('order.last');
  socket.send(last);
  const frames = (): { id: string }[] => harness.recorder.laterFrames().map((frame) => JSON.parse(frame));
  await waitFor(() => frames().some(({ id }) => id === last.id), { what: 'the last event' });
  return frames().slice(0, -1);
}

function post(token: string, body: unknown): Promise<Response> {
  return harness.gateway.fetch('/api/events', { method: 'POST', token, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
}

describe.each(FORGED)('EV-01: %s', (_what, code, forged) => {
  it('on the socket does not reach Prefect; the socket stays, and the ledger has it', async () => {
    const socket = await events(worker);
    socket.send(forged());
    expect(await arrived(socket)).toEqual([]);
    socket.close();
    const records = async () => jsonLines(await harness.gateway.lictorOk('audit', '--principal', 'token:ev-worker', '--decision', 'deny', '--json'));
    await waitFor(async () => (await records()).some(({ reason, path }) => reason === code && path === '/api/events/in'), { what: 'the record' });
  });

  it('by POST is refused, with everything in the same list', async () => {
    await expectRefusal(await post(worker, [event('order.created'), forged()]), 403, code);
    expectNothingUpstream(harness);
  });
});

describe('EV-01: an event id', () => {
  it('that belongs to another run reaches Prefect once, by any way', async () => {
    const own = event('order.created');
    const socket = await events(worker);
    socket.send(own);
    expect(await arrived(socket)).toEqual([own]);
    socket.close();
    const second = await events(other);
    second.send({ ...own, event: 'order.forged' });
    expect(await arrived(second)).toEqual([own, expect.objectContaining({ event: 'order.last' })]);
    second.close();
    harness.recorder.clear();
    await expectRefusal(await post(other, [own]), 403, 'event-repeated');
    expectNothingUpstream(harness);
    expect((await post(worker, [own])).status).toBe(200);
  });
});

it('EV-01 twin: what a stock worker and its runs report passes', async () => {
  const good = [
    event('prefect.worker.started', { resource: { 'prefect.resource.id': 'prefect.worker.process.w' } }),
    event('prefect.task-run.Completed', {
      resource: { 'prefect.resource.id': `prefect.task-run.${TASK}`, 'prefect.orchestration': 'client' },
      related: [{ 'prefect.resource.id': `prefect.flow-run.${VICTIM}`, 'prefect.resource.role': 'flow-run' }],
      payload: { task_run: { name: 't' } },
    }),
    event('order.created'),
  ];
  const socket = await events(worker);
  for (const each of good) socket.send(each);
  expect(await arrived(socket)).toEqual(good);
  socket.close();
  harness.recorder.clear();
  expect((await post(worker, good)).status).toBe(200);
  expect(JSON.parse(String(harness.recorder.seen()[0]?.body))).toEqual(good);
});
