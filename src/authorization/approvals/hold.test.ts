// A request waits for an approval, and the approval lets exactly that request pass, once.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamRequest } from '../../prefect/client/upstream.ts';
import { MOST_PENDING } from '../../store/approvals.ts';
import { DEPLOYMENT, json, prefectWith } from '../mediate/mediator.fixture.ts';
import { announcedByRule } from './condition.ts';
import { aRule, COPILOT, type HeldMediator, startHeld } from './hold.fixture.ts';
import type { Hold } from './hold.ts';

const notify = { webhook: 'https://hooks.example', secret: null };

let gate: HeldMediator;
beforeEach(async () => {
  gate = await startHeld();
});
afterEach(() => gate.close());

describe('a request that needs an approval', () => {
  it('waits with a link, and nothing reaches Prefect', async () => {
    const held = await gate.send();
    expect(held).toMatchObject({
      status: 403,
      code: 'approval-required',
      detail: expect.stringMatching(
        /^The request of agent:copilot to .*variables \(variables\.write\) waits for an approval\. See https:\/\/gate\.example\/\.lictor\/approvals\/[0-9a-f]{32}$/,
      ),
      approval_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      approval_url: `https://gate.example/.lictor/approvals/${held['approval_id']}`,
      expires_at: new Date(gate.home.clock() + 900_000).toISOString(),
    });
    expect(gate.sent()).toBe(0);
    expect(gate.record()).toMatchObject({ decision: 'deny', reason: 'approval-required', approval_id: held['approval_id'] });
    expect(await gate.home.store.approvals.byId(String(held['approval_id']))).toMatchObject({
      requestedBy: 'agent:copilot',
      onBehalfOf: ['alice@corp'],
      sponsor: 'alice@corp',
      action: 'variables.write',
      resourceType: 'Variable',
      credentialId: 'lct_x',
      state: 'pending',
      revision: 7,
    });
  });

  it('is announced once, and has one approval as long as it waits', async () => {
    const first = await gate.send();
    const again = await Promise.all([gate.send(), gate.send(), gate.send()]);
    expect(again.map(({ approval_id }) => approval_id)).toEqual([first['approval_id'], first['approval_id'], first['approval_id']]);
    expect(gate.announced.map(({ id }) => id)).toEqual([first['approval_id']]);
  });

  it.each([
    ['its rule', [aRule({ name: 'r' })], ['r']],
    [
      'the first rule about the requester with an address, if no rule asks for the hold',
      [aRule(), aRule({ name: 'b', principals: ['agent:other'], notify }), aRule({ name: 'c', notify })],
      ['c'],
    ],
  ])('is announced by %s', async (_what, rules, expected) => {
    const heard: string[] = [];
    const hold = expected[0] === 'r' ? undefined : (made: Hold) => announcedByRule(rules, made);
    const parts = { announce: (_approval: unknown, rule: string) => void heard.push(rule) };
    await gate.send({}, { rules: rules.slice(0, 1), parts, ...(hold !== undefined && { hold }) });
    expect(heard).toEqual(expected);
  });

  it('has no secret of a text in what people see', async () => {
    await gate.send({ body: { name: 'a', value: 'AKIAQWERTYUIOPASDFGH' } });
    expect(gate.announced[0]?.shownArguments).toContain('[redacted: ');
    expect(gate.announced[0]?.shownArguments).not.toContain('AKIAQWERTYUIOPASDFGH');
  });

  it('runs once after its approval, of 20 attempts at once', async () => {
    const { approval_id } = await gate.send();
    expect(await gate.approve(approval_id)).toBe(true);
    const attempts = await Promise.all(Array.from({ length: 20 }, () => gate.send()));
    expect(attempts.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(attempts.filter(({ code }) => code === 'approval-used')).toHaveLength(19);
    expect(gate.sent()).toBe(1);
  });

  it('has the id of its approval in the record of its run', async () => {
    const { approval_id } = await gate.send();
    await gate.approve(approval_id);
    expect(await gate.send()).toMatchObject({ status: 201 });
    expect(gate.record()).toMatchObject({ decision: 'allow', approval_id });
  });

  it('waits for a new approval only after the time of the used one', async () => {
    const { approval_id } = await gate.send();
    await gate.approve(approval_id);
    await gate.send();
    expect(await gate.send()).toMatchObject({ status: 403, code: 'approval-used', approval_id });
    gate.home.advance(900_000);
    expect(await gate.send()).toMatchObject({ code: 'approval-required', approval_id: expect.not.stringContaining(String(approval_id)) });
    expect(gate.sent()).toBe(1);
  });

  it('keeps its approval when nothing was forwarded', async () => {
    const { approval_id } = await gate.send();
    await gate.approve(approval_id);
    const broken = { healthy: () => false };
    expect(await gate.send({}, { mediator: { ledger: broken } })).toMatchObject({ status: 503, code: 'ledger-unavailable' });
    expect(await gate.send()).toMatchObject({ status: 201 });
  });

  it('keeps its approval when the database of Prefect is locked, since stock clients send the request again', async () => {
    const { approval_id } = await gate.send();
    await gate.approve(approval_id);
    const busy = { status: 503, body: json({ exception_message: 'Service Unavailable' }) };
    expect(await gate.send({}, { mediator: { prefect: prefectWith({}, busy) } })).toMatchObject({ status: 503 });
    const attempts = await Promise.all(Array.from({ length: 5 }, () => gate.send()));
    expect(attempts.map(({ status }) => status).sort()).toEqual([201, 403, 403, 403, 403]);
  });

  describe('as a start of runs', () => {
    const start = `/api/deployments/${DEPLOYMENT}/create_flow_run`;
    const busy = { status: 503, body: json({ exception_message: 'Service Unavailable' }) };
    const held = [aRule({ actions: ['deployments.run'] })];

    /** The keys that Prefect gets in one attempt after the other. */
    async function keysOf(path: string, body: object, rules = held): Promise<readonly unknown[]> {
      const keys: unknown[] = [];
      const prefect = (request: UpstreamRequest) => {
        if (request.path === path) keys.push(...[JSON.parse(String(request.body))].flat().map(({ idempotency_key: key }) => key));
        return prefectWith({}, busy)(request);
      };
      const attempt = () => gate.send({ path, body }, { rules, mediator: { prefect } });
      await gate.approve((await attempt())['approval_id']);
      for (let at = 0; at < 2; at += 1) expect(await attempt()).toMatchObject({ status: 503 });
      return keys;
    }

    it('has one key in all attempts, so that Prefect starts one run even if it committed the first', async () => {
      const [first, ...again] = await keysOf(start, {});
      expect(first).toMatch(/^lictor approval [0-9a-f]{32} 0$/);
      expect(again).toEqual([first]);
    });

    it('has a key for each of many runs', async () => {
      const [first, second, ...again] = await keysOf(`${start}/bulk`, [{}, { idempotency_key: null }]);
      expect([first, second]).toEqual([expect.stringMatching(/ 0$/), expect.stringMatching(/ 1$/)]);
      expect(again).toEqual([first, second]);
    });

    it('keeps the key of the client, and twin: has none without an approval', async () => {
      expect(new Set(await keysOf(start, { idempotency_key: 'mine' }))).toEqual(new Set(['mine']));
      expect(new Set(await keysOf(start, {}, []))).toEqual(new Set([undefined]));
    });
  });

  it.each([
    ['a proxy before Prefect answers 503', { status: 503, body: json({ detail: 'reset before headers' }) }],
    ['Prefect refuses it', { status: 422, body: json({ exception_message: 'Service Unavailable' }) }],
  ])('twin: has used its approval when %s', async (_what, answer) => {
    const { approval_id } = await gate.send();
    await gate.approve(approval_id);
    expect(await gate.send({}, { mediator: { prefect: prefectWith({}, answer) } })).toMatchObject({ status: answer.status });
    expect(await gate.send()).toMatchObject({ code: 'approval-used' });
  });

  it('has used its approval when Prefect gave no answer: it may have acted', async () => {
    const { approval_id } = await gate.send();
    await gate.approve(approval_id);
    expect(await gate.send({}, { mediator: { prefect: () => new Error('reset') } })).toMatchObject({ status: 503 });
    expect(await gate.send()).toMatchObject({ code: 'approval-used' });
  });
});

describe('an approval does not allow', () => {
  const approved = async (): Promise<void> => void (await gate.approve((await gate.send())['approval_id']));
  const refused = async (...request: Parameters<HeldMediator['send']>): Promise<void> => {
    expect(await gate.send(...request)).toMatchObject({ status: 403, code: 'approval-required' });
    expect(gate.sent()).toBe(0);
  };

  it.each([
    ['another value', { body: { name: 'a', value: 2 } }],
    ['one more argument', { body: { name: 'a', value: 1, tags: [] } }],
    ['the same text as another type', { body: { name: 'a', value: '1' } }],
    ['another query', { inputs: { args: 'x=1' } }],
  ])('%s', async (_what, differing) => {
    await approved();
    await refused(differing);
    expect(await gate.send()).toMatchObject({ status: 201 });
  });

  it('the request of another agent, or for another person', async () => {
    await approved();
    await refused({}, { mediator: { principal: { ...COPILOT, id: 'agent:other', onBehalfOf: ['agent:copilot', 'alice@corp'] } } });
    await refused({}, { mediator: { principal: { ...COPILOT, onBehalfOf: ['bob@corp'] } } });
  });

  it('the request under another revision of rules and policies', async () => {
    await approved();
    await refused({}, { revision: 8 });
  });

  it('the request by another rule', async () => {
    await approved();
    await refused({}, { rules: [aRule({ name: 'other' })] });
  });

  it('anything after its time', async () => {
    await approved();
    gate.home.advance(900_000);
    await refused();
  });

  it('anything before a person has decided', async () => {
    await gate.send();
    await refused();
  });
});

it('the same arguments in another order of keys are the same request', async () => {
  await gate.approve((await gate.send())['approval_id']);
  expect(await gate.send({ body: { value: 1, name: 'a' } })).toMatchObject({ status: 201 });
});

it('a denied request stays denied for the whole time after the decision, and waits again then', async () => {
  const { approval_id } = await gate.send();
  gate.home.advance(899_000);
  expect(await gate.deny(approval_id)).toBe(true);
  expect(await gate.approve(approval_id)).toBe(false);
  gate.home.advance(899_000);
  expect(await gate.send()).toMatchObject({ status: 403, code: 'approval-denied', approval_id });
  gate.home.advance(1_000);
  expect(await gate.send()).toMatchObject({ code: 'approval-required' });
  expect(gate.sent()).toBe(0);
});

it('an approval after its time decides nothing', async () => {
  const { approval_id } = await gate.send();
  gate.home.advance(900_000);
  expect(await gate.approve(approval_id)).toBe(false);
  expect(await gate.home.store.approvals.byId(String(approval_id))).toMatchObject({ state: 'expired' });
});

it('one requester has a bounded number of pending requests, and others wait beside it', async () => {
  for (let at = 0; at < MOST_PENDING; at += 1) expect(await gate.send({ body: { name: 'a', value: at } })).toMatchObject({ status: 403 });
  const beyond = { body: { name: 'a', value: MOST_PENDING } };
  expect(await gate.send(beyond)).toMatchObject({ status: 429, code: 'approvals-pending' });
  const run = { id: 'run:1', kind: 'run', onBehalfOf: ['agent:copilot', 'alice@corp'] } as const;
  expect(await gate.send(beyond, { mediator: { principal: run } })).toMatchObject({ status: 429 });
  expect(await gate.send(beyond, { rules: [aRule({ approvers: ['*@corp'] })], mediator: { principal: { ...COPILOT, id: 'agent:b' } } })).toMatchObject({
    status: 403,
  });
  gate.home.advance(900_000);
  expect(await gate.send(beyond)).toMatchObject({ status: 403, code: 'approval-required' });
});

it('a list has the requests that wait before newer ones that have ended', async () => {
  const [first, second, third, fourth] = [
    await gate.send({ body: { name: 'a', value: 1 } }),
    ...(await decided(2)),
    await gate.send({ body: { name: 'a', value: 4 } }),
  ];
  const listed = await gate.home.store.approvals.list();
  expect(listed.map(({ id, state }) => [id, state])).toEqual([
    [fourth?.['approval_id'], 'pending'],
    [first?.['approval_id'], 'pending'],
    [third?.['approval_id'], 'denied'],
    [second?.['approval_id'], 'denied'],
  ]);
});

async function decided(count: number) {
  const answers = [];
  for (let at = 0; at < count; at += 1) {
    const answer = await gate.send({ body: { name: 'denied', value: at } });
    await gate.deny(answer['approval_id']);
    answers.push(answer);
  }
  return answers;
}

it('a request for which nobody can answer is refused', async () => {
  expect(await gate.send({}, { mediator: { principal: { ...COPILOT, id: 'agent:unknown' } } })).toMatchObject({ status: 403, code: 'approval-impossible' });
  expect(await gate.send({ body: '{"name":"a","value":12345678901234567890}' })).toMatchObject({ status: 403, code: 'approval-impossible' });
  expect(gate.sent()).toBe(0);
});

it('every rule that is about a request must be met', async () => {
  const both = { rules: [aRule(), aRule({ name: 'four-eyes', approvers: ['group:leads@corp'] })] };
  const first = await gate.send({}, both);
  await gate.approve(first['approval_id']);
  const second = await gate.send({}, both);
  expect(second['approval_id']).not.toBe(first['approval_id']);
  expect(await gate.send({}, both)).toMatchObject({ code: 'approval-required', approval_id: second['approval_id'] });
  await gate.approve(second['approval_id']);
  expect(await gate.send({}, both)).toMatchObject({ status: 201 });
});

it('other actions, and requests of other principals, do not wait', async () => {
  expect(await gate.send({}, { rules: [aRule({ actions: ['variables.delete'] })] })).toMatchObject({ status: 201 });
  expect(await gate.send({}, { rules: [aRule({ principals: ['agent:other', 'group:leads@corp', 'user:bob@corp'] })] })).toMatchObject({ status: 201 });
});
