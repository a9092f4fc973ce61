// Calls and bytes of an agent, request by request, on a real store.
import { afterEach, expect, it } from 'vitest';
import type { Agent } from '../../config/config.ts';
import type { Principal } from '../../contract/principal.ts';
import { codeOf, json } from '../mediate/mediator.fixture.ts';
import { AS_AGENT, AS_HELPER, anAgent, DIRECT, openBudgets, type Prefect } from './budgets.fixture.ts';

const READ = { role: 'agent', method: 'GET', path: '/api/flows/11111111-2222-3333-4444-555555555555' };
const close: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const each of close.splice(0)) await each();
});

async function open(agents: readonly Agent[], prefect?: Prefect) {
  const room = await openBudgets({ agents, ...(prefect !== undefined && { prefect }) });
  close.push(() => room.home.close());
  return room;
}

it('passes exactly the budget, and says which, how much and when', async () => {
  const { as, home } = await open([anAgent({ callsPerMinute: 3 })]);
  const gate = as(AS_AGENT);
  for (const _each of [1, 2, 3]) expect((await gate.send(READ)).status).toBe(200);
  home.advance(20_500);
  const refused = await gate.send(READ);
  expect([refused.status, refused.headers['retry-after'], refused.headers['prefect-maintenance']]).toEqual([429, '40', undefined]);
  expect(JSON.parse(refused.body.toString())).toMatchObject({
    code: 'budget-exceeded',
    detail: 'The agent copilot has used its budget calls: 3/min. Retry in 40 s.',
  });
  expect(gate.record()).toMatchObject({ decision: 'deny', reason: 'budget-exceeded', principal: 'agent:copilot', status: 429 });
  expect(gate.forwarded).toHaveLength(3);
  home.advance(39_500);
  expect((await gate.send(READ)).status).toBe(200);
});

it('holds to the number for many at once', async () => {
  const { as } = await open([anAgent({ callsPerMinute: 7 })]);
  const gate = as(AS_AGENT);
  const statuses = await Promise.all(Array.from({ length: 40 }, async () => (await gate.send(READ)).status));
  expect([statuses.filter((status) => status === 200).length, gate.forwarded.length]).toEqual([7, 7]);
});

it('continues to count after a restart', async () => {
  const { as, open: again } = await open([anAgent({ callsPerMinute: 1 })]);
  expect((await as(AS_AGENT).send(READ)).status).toBe(200);
  expect(codeOf(await again().as(AS_AGENT).send(READ))).toBe('budget-exceeded');
});

it('refuses a runaway agent from memory, before it reads the request, and asks the store again after a second', async () => {
  const { as, home } = await open([anAgent({ callsPerMinute: 1 })]);
  const gate = as(AS_AGENT);
  await gate.send(READ);
  const { take } = home.store.agentUses;
  let taken = 0;
  const counting: typeof take = (uses) => {
    taken += 1;
    return take(uses);
  };
  Object.assign(home.store.agentUses, { take: counting });
  for (const _each of Array.from({ length: 50 })) expect((await gate.send(READ)).status).toBe(429);
  expect(taken).toBe(1);
  const body = { read: async () => Promise.reject(new Error('the body is not read')), length: 10 };
  const late = await gate.sendLate({ role: 'agent', path: '/api/flows/filter', headers: { 'content-type': 'application/json' } }, body);
  expect([late.status, taken]).toEqual([429, 1]);
  home.advance(1_000);
  expect([(await gate.send(READ)).headers['retry-after'], taken]).toEqual(['59', 2]);
});

it('refuses once the bytes are used up, and reserves nothing', async () => {
  const { as, home } = await open([anAgent({ bytesPerHour: 100 })], () => ({ body: json('x'.repeat(58)) }));
  const gate = as(AS_AGENT);
  expect([(await gate.send(READ)).status, (await gate.send(READ)).status]).toEqual([200, 200]);
  const refused = await gate.send(READ);
  expect(JSON.parse(refused.body.toString()).detail).toBe('The agent copilot has used its budget bytes: 100 bytes/h. Retry in 3600 s.');
  await home.store.agentUses.flush();
  home.advance(3_600_000);
  expect((await gate.send(READ)).status).toBe(200);
});

it('counts the call of an MCP tool once, and the bytes of each of its requests', async () => {
  const { as, calls } = await open([anAgent({ callsPerMinute: 1, bytesPerHour: 100 })], () => ({ body: json('x'.repeat(58)) }));
  const principal = { limitedBy: [], ...AS_AGENT } as Principal;
  const gate = as(AS_AGENT);
  expect(await calls.charge(principal)).toMatchObject({ ok: true });
  expect(await calls.charge(principal)).toMatchObject({ ok: false, refusal: { code: 'budget-exceeded', retryAfterSeconds: 60 } });
  expect([(await gate.send({ ...READ, tool: 'get_flows' })).status, (await gate.send({ ...READ, tool: 'get_flows' })).status]).toEqual([200, 200]);
  const third = await gate.send({ ...READ, tool: 'get_flows' });
  expect([codeOf(third), JSON.parse(third.body.toString()).detail]).toEqual(['budget-exceeded', expect.stringContaining('budget bytes: 100')]);
});

it('holds for each agent of a chain, and for no other principal', async () => {
  const { as, conditions } = await open([anAgent({ callsPerMinute: 1 }), anAgent({ callsPerMinute: 5 }, { name: 'helper' })]);
  expect((await as(AS_HELPER).send(READ)).status).toBe(200);
  expect(JSON.parse((await as(AS_HELPER).send(READ)).body.toString()).detail).toContain('agent copilot');
  expect(codeOf(await as(AS_AGENT).send(READ))).toBe('budget-exceeded');
  expect((await as({ id: 'alice@corp', kind: 'user' }).send(READ)).status).toBe(200);
  expect(conditions.mustMediate({ ...AS_AGENT, id: 'alice@corp', kind: 'user' } as Principal, DIRECT)).toBe(false);
  expect(conditions.mustMediate({ ...AS_AGENT } as Principal, DIRECT)).toBe(true);
});

it('does not count what the policies refuse', async () => {
  const { as } = await open([anAgent({ callsPerMinute: 1 })]);
  const gate = as(AS_AGENT);
  for (const _each of [1, 2]) expect((await gate.send({ ...READ, method: 'DELETE' })).status).toBe(403);
  expect((await gate.send(READ)).status).toBe(200);
});

it('forwards nothing when the store cannot count', async () => {
  const { as, home } = await open([anAgent({ callsPerMinute: 1 })]);
  await home.store.close();
  const gate = as(AS_AGENT);
  expect([(await gate.send(READ)).status, gate.forwarded]).toEqual([503, []]);
});
