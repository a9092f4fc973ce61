// What holds on all nodes of a cluster: a login, the end of a token, and the timeline of a run. With the times that it took.
import { expect } from 'vitest';
import { type Gateway, jsonLines } from '../../env/gateway.ts';
import { field, text } from '../../env/prefect.ts';
import { waitFor } from '../../env/process.ts';
import type { Cluster } from '../../env/several/cluster.ts';
import { authFrame, openSocket } from '../../env/socket.ts';

const VERSION = '/api/admin/version';

/** A login through HAProxy is one on each node, and its end too. */
export async function loginHoldsOnAll(cluster: Cluster): Promise<void> {
  const [one, two] = [cluster.node('one'), cluster.node('two')];
  const session = await cluster.login(await one.account('alice', 'viewer'));
  const answers = () => Promise.all(cluster.nodes.map(async (node) => (await node.fetch(VERSION, { session })).status));
  expect(await answers()).toEqual(cluster.nodes.map(() => 200));
  await two.lictorOk('account', 'remove', 'alice');
  await waitFor(async () => (await answers()).every((status) => status === 401), { what: 'the end of the session on all nodes' });
}

export interface RevocationTimes {
  /** Until the last node refused the token. */
  readonly refusedMs: number;
  /** Until the last socket of the token was closed. */
  readonly closedMs: number;
}

/** A token is revoked on one node: all refuse it, and its sockets on all nodes close. A second token is the twin that stays. */
export async function revocationHoldsOnAll(cluster: Cluster): Promise<RevocationTimes> {
  const one = cluster.node('one');
  const [ends, stays] = [await one.token('ends', ['viewer']), await one.token('stays', ['viewer'])];
  const ask = async (node: Gateway, token: string): Promise<number> => (await node.fetch(VERSION, { token })).status;
  for (const node of cluster.nodes) expect([await ask(node, ends.secret), await ask(node, stays.secret)]).toEqual([200, 200]);
  const open = (token: string) => Promise.all(cluster.nodes.map((node) => streamAt(node, token)));
  const [closing, staying] = [await open(ends.secret), await open(stays.secret)];
  const revoking = one.lictorOk('token', 'revoke', 'ends');
  await waitFor(async () => (await ask(one, ends.secret)) === 401, { what: 'the node of the revocation to refuse the token', everyMs: 10 });
  const revokedAt = performance.now();
  const since = () => Math.round(performance.now() - revokedAt);
  const [refusedMs, closedMs] = await Promise.all([
    waitFor(async () => (await Promise.all(cluster.nodes.map((node) => ask(node, ends.secret)))).every((status) => status === 401), {
      what: 'every node to refuse the token',
      everyMs: 20,
    }).then(since),
    Promise.all(closing.map(({ ended }) => ended)).then(since),
  ]);
  await revoking;
  expect((await Promise.all(closing.map(({ ended }) => ended))).map(({ code }) => code)).toEqual(closing.map(() => 1008));
  expect(await Promise.race([...staying.map(({ ended }) => ended), Promise.resolve('open')])).toBe('open');
  for (const node of cluster.nodes) expect(await ask(node, stays.secret)).toBe(200);
  for (const socket of staying) socket.close();
  return { refusedMs, closedMs };
}

async function streamAt(node: Gateway, token: string) {
  const socket = openSocket(node.url, '/api/events/out', { first: authFrame(token) });
  await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'the socket to be authorised' });
  return socket;
}

/** What was asked about one run on each of the nodes is on one timeline, in order, and the same on all. */
export async function timelineIsWhole(cluster: Cluster): Promise<void> {
  const { secret } = await cluster.node('one').token('operator', ['operator', 'deployer']);
  const post = async (node: Gateway, path: string, body: unknown): Promise<unknown> => {
    const response = await node.fetch(path, { method: 'POST', token: secret, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    expect(response.ok, `${path}: ${response.status}`).toBe(true);
    return await response.json();
  };
  const [one, two, three] = ['one', 'two', 'three'].map((name) => cluster.node(name));
  if (one === undefined || two === undefined || three === undefined) throw new Error('three nodes are needed');
  const flow = await post(one, '/api/flows/', { name: 'on-three' });
  const run = text(field(await post(one, '/api/flow_runs/', { flow_id: field(flow, 'id'), state: { type: 'SCHEDULED' } }), 'id'));
  for (const [node, type] of [
    [two, 'PENDING'],
    [three, 'RUNNING'],
    [one, 'CANCELLED'],
  ] as const)
    await post(node, `/api/flow_runs/${run}/set_state`, { state: { type }, force: true });
  const expected = ['one', 'two', 'three', 'one'];
  const seen = async (node: Gateway) => {
    const records = jsonLines(await node.lictorOk('audit', '--flow-run', run, '--json'));
    return records.toSorted((a, b) => String(a['time']).localeCompare(String(b['time'])));
  };
  for (const node of cluster.nodes) {
    await waitFor(async () => (await seen(node)).length === expected.length, { what: 'the records of all nodes', everyMs: 300 });
    expect((await seen(node)).map((record) => record['node'])).toEqual(expected);
    const timeline = jsonLines(await node.lictorOk('timeline', run, '--json'));
    const requests = timeline.filter((entry) => 'request_id' in entry && entry['request_id'] !== null);
    expect(requests.map((entry) => entry['request_id'])).toEqual((await seen(node)).map((record) => record['request_id']));
  }
}
