import { describe, expect, it } from 'vitest';
import { codeOf, startMediator } from './mediator.fixture.ts';

const event = (name: string, id: string) => ({ id, occurred: '2026-03-01T12:00:00Z', event: name, resource: { 'prefect.resource.id': 'order.1' } });
const ONE = '11111111-1111-4111-8111-111111111111';
const TWO = '22222222-2222-4222-8222-222222222222';

describe('POST /events', () => {
  it('forwards a list of events as it was read', async () => {
    const gate = startMediator();
    const body = [event('order.created', ONE), event('order.paid', TWO)];
    expect((await gate.send({ role: 'worker', path: '/api/events', body })).status).toBe(200);
    expect(gate.last()).toEqual(body);
    expect(gate.record()).toMatchObject({ action: 'events.write', decision: 'allow', status: 200 });
  });

  it.each([
    ['a reserved name among others', [event('order.created', ONE), event('prefect.flow-run.Failed', TWO)], 'event-reserved'],
    ['no list', event('order.created', ONE), 'body-invalid'],
    ['no event', [[]], 'body-invalid'],
    ['more events than are decided on at once', Array.from({ length: 1001 }, () => event('order.created', ONE)), 'body-too-complex'],
    ['a key twice', `[{"id":"${ONE}","event":"order.created","event":"prefect.flow-run.Failed","resource":{"prefect.resource.id":"x"}}]`, 'body-not-json'],
  ])('forwards nothing of %s', async (_what, body, code) => {
    const gate = startMediator();
    expect(codeOf(await gate.send({ role: 'worker', path: '/api/events', body }))).toBe(code);
    expect(gate.forwarded).toEqual([]);
    expect(gate.record()).toMatchObject({ decision: 'deny', reason: code });
  });

  it("refuses another's event id, and takes the sender's own again", async () => {
    const gate = startMediator();
    const body = [event('order.created', ONE)];
    const send = async (role: string) => (await gate.send({ role, path: '/api/events', body })).status;
    expect([await send('worker'), await send('worker'), await send('deployer')]).toEqual([200, 200, 403]);
  });

  it('is not for viewers, whatever the event', async () => {
    const gate = startMediator();
    expect(codeOf(await gate.send({ role: 'viewer', path: '/api/events', body: [event('order.created', ONE)] }))).toBe('policy-default-deny');
    expect(gate.forwarded).toEqual([]);
  });
});
