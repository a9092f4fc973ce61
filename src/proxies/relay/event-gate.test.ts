import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { createEventMemory } from '../../prefect/events/memory.ts';
import { createEventRules } from '../../prefect/events/rules.ts';
import { createGates } from './event-gate.ts';

const gates = createGates(createEventRules(createEventMemory()));
const catalogue = createCatalogue();

function gateOf(operationId: string) {
  const operation = catalogue.byId(operationId);
  if (operation === undefined) throw new Error(operationId);
  return gates(operation, {
    ok: true,
    principal: { id: 'token:etl', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] },
    credential: { id: 't', carrier: 'frame', expiresAtMs: null, sessionId: null, alsoPresented: [] },
    decisions: [],
    restrictions: [],
    entities: [],
  });
}

function verdictOn(text: string, operationId = 'socket:events-in') {
  const verdict = gateOf(operationId)(Buffer.from(text));
  return verdict.pass ? verdict.data.toString() : verdict.dropped.code;
}

const event = (name: string, more = '') => `{"id":"11111111-1111-4111-8111-111111111111","event":"${name}","resource":{"prefect.resource.id":"x"}${more}}`;

describe('the gate of /events/in', () => {
  it('passes an event as it was read: numbers keep their text, spaces go', () => {
    expect(verdictOn(`  ${event('order.paid', ',"payload":{"sum":12345678901234567890, "part":1.0}')} `)).toBe(
      event('order.paid', ',"payload":{"sum":12345678901234567890,"part":1.0}'),
    );
  });

  it.each([
    ['a reserved name', event('prefect.flow-run.Failed'), 'event-reserved'],
    ['a key twice', event('order.paid', ',"event":"prefect.flow-run.Failed"'), 'body-not-json'],
    ['a key twice, one of them escaped', event('order.paid', ',"\\u0065vent":"prefect.flow-run.Failed"'), 'body-not-json'],
    ['too many levels', event('order.paid', `,"payload":{"a":${'['.repeat(64)}${']'.repeat(64)}}`), 'body-not-json'],
    ['more values than are read at once', event('order.paid', `,"payload":{"a":[${'0,'.repeat(50_000)}0]}`), 'body-too-complex'],
    ['NaN', event('order.paid', ',"payload":{"a":NaN}'), 'body-not-json'],
    ['a byte order mark', `\uFEFF${event('order.paid')}`, 'body-not-json'],
    ['a list of events', `[${event('order.paid')}]`, 'body-invalid'],
  ])('drops %s', (_what, text, code) => {
    expect(verdictOn(text)).toBe(code);
  });

  it('passes a large event of few values', () => {
    const text = event('order.paid', `,"payload":{"a":"${'x'.repeat(1_000_000)}"}`);
    expect(verdictOn(text)).toBe(text);
  });

  it('the other sockets carry filters and keys, which pass as they are', () => {
    for (const socket of ['socket:events-out', 'socket:logs-out', 'socket:task-runs-scheduled', 'socket:worker-connect']) {
      expect(verdictOn('{"type": "filter"}', socket)).toBe('{"type": "filter"}');
    }
  });
});
