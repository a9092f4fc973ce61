// Leases of concurrency slots before the real Prefect: they are the taker's, also over a restart, and no way round releases them.
import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Gateway } from '../../env/gateway.ts';
import { send } from '../../env/polled.ts';
import { type Direct, field, text, withPatience } from '../../env/prefect.ts';
import type { PrefectAddress } from '../../env/prefect-server.ts';
import { isAlive, signalProcess, waitFor } from '../../env/process.ts';

export interface LeaseRoom {
  readonly gateway: () => Gateway;
  readonly server: () => Direct;
  readonly flow: () => string;
  /** Of a worker that holds its role on everything. */
  readonly worker: () => string;
  readonly prefect: PrefectAddress;
  /** A run that its worker has begun; with a number, of a deployment that runs so many at once. */
  readonly begun: (slots?: number) => Promise<{ readonly run: string; readonly token: string }>;
}

const LIMITS = '/api/v2/concurrency_limits';

export function leaseCases(room: LeaseRoom): void {
  const ask = async (token: string, path: string, body?: unknown) => {
    const response = await send(room.gateway(), 'POST', `${LIMITS}${path}`, { token, body });
    return { status: response.status, text: await response.text() };
  };
  const renew = (token: string, lease: string) => ask(token, `/leases/${lease}/renew`, { lease_duration: 300 });
  const release = (token: string, lease: string) => ask(token, '/decrement-with-lease', { lease_id: lease });
  /** What Prefect itself says, without the gateway. */
  const ofNobody = async (path: string, body: unknown) => {
    const { url, authString } = room.prefect;
    const headers = { 'content-type': 'application/json', authorization: `Basic ${Buffer.from(authString).toString('base64')}` };
    const response = await withPatience(() => fetch(`${url}${LIMITS}${path}`, { method: 'POST', headers, body: JSON.stringify(body) }));
    return { status: response.status, text: await response.text() };
  };
  const makeLimit = async (): Promise<string> => {
    const name = `lease-${randomUUID()}`;
    await room.server().post('/v2/concurrency_limits/', { name, limit: 5 });
    return name;
  };
  const taken = async (limit: string) => field(await room.server().get(`/v2/concurrency_limits/${limit}`), 'active_slots');
  const take = async (token: string, limit: string): Promise<string> => {
    const answer = await ask(token, '/increment-with-lease', { names: [limit], slots: 1, lease_duration: 300 });
    return text(field(JSON.parse(answer.text), 'lease_id'));
  };

  it('a lease is renewed and released by the run that took it; for another there is none, in the bytes of one that is not there', async () => {
    const [owner, other, limit] = [await room.begun(), await room.begun(), await makeLimit()];
    const lease = await take(owner.token, limit);
    const absent = await ofNobody(`/leases/${randomUUID()}/renew`, { lease_duration: 300 });
    expect(await renew(other.token, lease)).toEqual(absent);
    expect(await release(other.token, lease)).toEqual(await ofNobody('/decrement-with-lease', { lease_id: randomUUID() }));
    expect(await taken(limit)).toBe(1);
    // Whose it is outlives the process that saw it.
    const before = room.gateway().pids().control;
    signalProcess(before, 'SIGKILL');
    await waitFor(() => !isAlive(before), { what: 'the control plane to be gone' });
    await waitFor(async () => (await room.gateway().fetch('/.lictor/ready')).status === 200, { what: 'the gateway to be ready', timeoutMs: 60_000 });
    expect((await renew(other.token, lease)).status).toBe(410);
    expect((await renew(owner.token, lease)).status).toBe(204);
    expect((await release(owner.token, lease)).status).toBe(204);
    expect(await taken(limit)).toBe(0);
    // Prefect says itself that it is over.
    expect((await renew(owner.token, lease)).status).toBe(410);
    expect((await release(owner.token, lease)).status).toBe(204);
  });

  it('by number a run releases no slots of others; a principal that may touch them and is no run does', async () => {
    const [owner, other, limit] = [await room.begun(), await room.begun(), await makeLimit()];
    await take(owner.token, limit);
    const refused = await ask(other.token, '/decrement', { names: [limit], slots: 1 });
    expect([refused.status, field(JSON.parse(refused.text), 'code')]).toEqual([403, 'run-bound']);
    expect(await taken(limit)).toBe(1);
    // Taking them so is what rate_limit() does.
    expect((await ask(other.token, '/increment', { names: [limit], slots: 1 })).status).toBe(200);
    expect((await ask(await room.worker(), '/decrement', { names: [limit], slots: 1 })).status).toBe(200);
    expect(await taken(limit)).toBe(1);
  });

  it("the slot of a run's deployment is its own to renew, and no other run's state releases it", async () => {
    const [owner, other] = [await room.begun(2), await room.begun()];
    // From a client that says no version Prefect takes the lease away: it would not renew it.
    const headers = { 'user-agent': 'prefect/3.9.1 (API 0.8.4)' };
    const running = { token: owner.token, body: { state: { type: 'RUNNING' }, force: false }, headers };
    expect((await send(room.gateway(), 'POST', `/api/flow_runs/${owner.run}/set_state`, running)).status).toBe(201);
    const state = field(await room.server().get(`/flow_runs/${owner.run}`), 'state');
    const lease = text(field(field(state, 'state_details'), 'deployment_concurrency_lease_id'));
    expect([(await renew(owner.token, lease)).status, (await renew(other.token, lease)).status]).toEqual([204, 410]);
    // Prefect lets go of whatever lease stands in the state that a run leaves, and at once where its client says no version.
    const named = (type: string) => ({ type, state_details: { deployment_concurrency_lease_id: lease } });
    const made = await send(room.gateway(), 'POST', '/api/flow_runs/', { token: other.token, body: { flow_id: room.flow(), state: named('PENDING') } });
    expect(made.status).toBe(201);
    const child = text(field(await made.json(), 'id'));
    for (const [run, type] of [
      [child, 'RUNNING'],
      [other.run, 'RUNNING'],
      [other.run, 'COMPLETED'],
    ] as const) {
      const body = { state: named(type), force: false };
      expect((await send(room.gateway(), 'POST', `/api/flow_runs/${run}/set_state`, { token: other.token, body })).status).toBe(201);
    }
    expect((await renew(owner.token, lease)).status).toBe(204);
  });
}
