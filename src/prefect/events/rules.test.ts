import { describe, expect, it } from 'vitest';
import type { Principal, PrincipalKind } from '../../contract/principal.ts';
import { stableId } from '../../record/ledger/append.ts';
import { createEventMemory } from './memory.ts';
import { createEventRules } from './rules.ts';

const OWN = '11111111-1111-4111-8111-111111111111';
const FOREIGN = '22222222-2222-4222-8222-222222222222';
const TASK = '33333333-3333-4333-8333-333333333333';
const OTHER_TASK = '44444444-4444-4444-8444-444444444444';
const EVENT = '55555555-5555-4555-8555-555555555555';

function sender(kind: PrincipalKind = 'service', attributes: Record<string, string> = {}): Principal {
  return { id: `${kind}:one`, kind, idp: null, roles: [], grants: [], groups: [], attributes, onBehalfOf: [] };
}
const run = sender('run', { flow_run_id: OWN });

function related(flowRun: string, role = 'flow-run') {
  return { 'prefect.resource.id': `prefect.flow-run.${flowRun}`, 'prefect.resource.role': role };
}

/** As a stock client of 3.9.1 reports a task run's state. */
function taskEvent(changes: Record<string, unknown> = {}, flowRun = OWN) {
  return {
    id: EVENT,
    occurred: '2026-03-01T12:00:00Z',
    event: 'prefect.task-run.Completed',
    resource: { 'prefect.resource.id': `prefect.task-run.${TASK}`, 'prefect.orchestration': 'client' },
    related: [related(flowRun), { 'prefect.resource.id': 'prefect.tag.x', 'prefect.resource.role': 'tag' }],
    payload: { validated_state: { type: 'COMPLETED', name: 'Completed' }, task_run: { name: 't', task_key: 'k', dynamic_key: '0' } },
    ...changes,
  };
}
const named = (event: string) => ({ ...taskEvent(), event, resource: { 'prefect.resource.id': 'my.thing' }, related: [] });

function judge(event: unknown, by: Principal, rules = createEventRules(createEventMemory())): string {
  const verdict = rules(JSON.parse(JSON.stringify(event)), by);
  return verdict.ok ? 'ok' : verdict.code;
}

describe('event names', () => {
  it.each([
    'prefect.task-run.Completed',
    'prefect.flow-run.heartbeat',
    'prefect.flow-run.pull-step.executed',
    'prefect.artifact.created',
    'prefect.asset.materialization.succeeded',
  ])('%s is for everything that runs flows', (name) => {
    const event = name.startsWith('prefect.task-run') ? taskEvent() : named(name);
    for (const by of [run, sender('worker'), sender('service'), sender('user')]) expect(judge(event, by), by.kind).toBe('ok');
    expect(judge(event, sender('agent'))).toBe('event-reserved');
  });

  it.each(['prefect.worker.started', 'prefect.runner.cancelled-flow-run', 'prefect.kubernetes.pod.running', 'prefect.workspace.transfer.started'])(
    '%s is for workers, services and people, not for a run',
    (name) => {
      for (const by of [sender('worker'), sender('service'), sender('user')]) expect(judge(named(name), by), by.kind).toBe('ok');
      expect(judge(named(name), run)).toBe('event-reserved');
    },
  );

  it.each([
    'prefect.flow-run.Failed',
    'prefect.flow-run.Completed',
    'prefect.automation.triggered',
    'prefect.deployment.created',
    'prefect.work-pool.updated',
    'prefect.work-queue.ready',
    'prefect.log.write',
    'prefect.flow-run.heartbeat.more',
    'prefect.flow-run.pull-step.Completed',
    'prefect.task-runs',
    'Prefect.Flow-Run.Failed',
    'prefect.',
    'lictor.decision',
    'LICTOR.decision',
    'lictor',
    'lictor/decision',
    ' lictor.decision',
    '\u200blictor.decision',
    'l\u00adictor.decision',
    'líctor.decision',
    'lіctоr.decision',
    'Iictor.decision',
    '1ictor.decision',
    'ｌｉｃｔｏｒ.decision',
    'lictor․decision',
    'рrefect.flow-run.Failed',
    'prefect\u200b.flow-run.Failed',
  ])('%s is nobody’s to say', (name) => {
    for (const by of [run, sender('worker'), sender('service'), sender('user'), sender('agent')])
      expect(judge(named(name), by), by.kind).toBe('event-reserved');
  });

  it.each(['order.created', 'prefect-cloud.x', 'lictors.note', 'my.lictor.note', 'my.prefect.flow-run.Failed', 'заказ.создан', '注文.作成', 'naïve.event'])(
    '%s is anybody’s',
    (name) => {
      for (const by of [run, sender('service'), sender('agent')]) expect(judge(named(name), by), by.kind).toBe('ok');
    },
  );
});

describe("a task run's event", () => {
  it('passes when it names everything once, or the same twice', () => {
    expect(judge(taskEvent(), sender())).toBe('ok');
    const payload = { task_run: { id: TASK.toUpperCase(), flow_run_id: OWN, state_id: EVENT }, validated_state: { id: EVENT } };
    expect(judge(taskEvent({ payload }), sender())).toBe('ok');
    expect(judge(taskEvent({ related: [], payload: { task_run: {} } }), sender())).toBe('ok');
  });

  it.each([
    ['another task run in the payload', { payload: { task_run: { id: OTHER_TASK } } }],
    ['null for the task run', { payload: { task_run: { id: null } } }],
    ['another flow run in the payload', { payload: { task_run: { flow_run_id: FOREIGN } } }],
    ['a flow run in the payload alone', { related: [], payload: { task_run: { flow_run_id: FOREIGN } } }],
    ['a flow run in the payload that is no UUID', { related: [], payload: { task_run: { flow_run_id: 7 } } }],
    ['another state id', { payload: { task_run: { state_id: OTHER_TASK } } }],
    ['another id of the state', { payload: { validated_state: { id: OTHER_TASK } } }],
    ['a state beside the state', { payload: { task_run: { state: { type: 'FAILED' } } } }],
    ['a resource that is no task run', { resource: { 'prefect.resource.id': `prefect.flow-run.${OWN}` } }],
    ['a spelling that only Prefect takes', { resource: { 'prefect.resource.id': `prefect.task-run.urn:uuid:${TASK}` } }],
    ['something else related as flow-run', { related: [{ 'prefect.resource.id': 'prefect.deployment.x', 'prefect.resource.role': 'flow-run' }] }],
  ])('is refused with %s', (_what, changes) => {
    expect(judge(taskEvent(changes), sender())).toBe('event-foreign-run');
  });
});

describe('a run', () => {
  it('speaks of itself', () => {
    expect(judge(taskEvent(), run)).toBe('ok');
    expect(judge({ ...named('order.created'), related: [related(OWN, 'cause')] }, run)).toBe('ok');
  });

  it.each([
    ['its task run with a foreign run', taskEvent({}, FOREIGN)],
    ['a foreign run as a resource', { ...named('order.created'), resource: { 'prefect.resource.id': `prefect.flow-run.${FOREIGN}` } }],
    ['a foreign run related, second', { ...named('order.created'), related: [related(OWN), related(FOREIGN, 'cause')] }],
    ['a foreign run in the payload', { ...named('order.created'), payload: { task_run: { flow_run_id: FOREIGN } } }],
    ['a foreign run, spelt otherwise', { ...named('order.created'), related: [related(`{${FOREIGN}}`)] }],
    ['a task run of no run', taskEvent({ related: [] })],
  ])('does not speak of %s', (_what, event) => {
    expect(judge(event, run)).toBe('event-foreign-run');
    expect(judge(event, sender('service'))).toBe('ok');
  });

  it('does not take over a task run that was reported with another run', () => {
    const rules = createEventRules(createEventMemory());
    expect(judge(taskEvent({}, FOREIGN), sender('worker'), rules)).toBe('ok');
    expect(judge(taskEvent({ id: OTHER_TASK }), run, rules)).toBe('event-foreign-run');
  });

  it('that does not say which one it is speaks of none', () => {
    expect(judge(taskEvent(), sender('run'))).toBe('event-foreign-run');
    expect(judge(named('order.created'), sender('run'))).toBe('ok');
  });
});

describe('an event id', () => {
  it('may be sent again by its sender, not by another', () => {
    const rules = createEventRules(createEventMemory());
    const other = { ...sender(), id: 'service:two' };
    expect([judge(taskEvent(), sender(), rules), judge(taskEvent(), sender(), rules)]).toEqual(['ok', 'ok']);
    expect(judge(taskEvent({ id: EVENT.replaceAll('-', '').toUpperCase() }), other, rules)).toBe('event-repeated');
    expect(judge(taskEvent({ id: OTHER_TASK }), other, rules)).toBe('ok');
  });

  it("of Lictor's own version is reserved; other versions are free", () => {
    const own = stableId('lictor-event', 'r1', OWN, '2026-03-01T12:00:00.000Z');
    for (const id of [own, own.toUpperCase().replaceAll('-', '')]) expect(judge(taskEvent({ id }), sender())).toBe('event-reserved');
    for (const version of ['1', '4', '7']) expect(judge(taskEvent({ id: `${own.slice(0, 14)}${version}${own.slice(15)}` }), sender())).toBe('ok');
  });

  it('is not taken by an event that is refused', () => {
    const rules = createEventRules(createEventMemory());
    expect(judge(named('prefect.flow-run.Failed'), { ...sender(), id: 'service:two' }, rules)).toBe('event-reserved');
    expect(judge(taskEvent(), sender(), rules)).toBe('ok');
  });

  it('is forgotten when it is old', () => {
    const memory = createEventMemory(2);
    expect(['a', 'b', 'c'].map((id) => memory.claim(id, 'one'))).toEqual([true, true, true]);
    expect([memory.claim('c', 'two'), memory.claim('a', 'two')]).toEqual([false, true]);
  });
});

describe('what is no event', () => {
  it.each([
    ['a list', []],
    ['no id', taskEvent({ id: undefined })],
    ['an id that is none', taskEvent({ id: 'x' })],
    ['no name', taskEvent({ event: undefined })],
    ['an endless name', taskEvent({ event: 'x'.repeat(1025) })],
    ['no resource', taskEvent({ resource: undefined })],
    ['a resource without an id', taskEvent({ resource: {} })],
    ['related that is no list', taskEvent({ related: {} })],
    ['related without an id', taskEvent({ related: [{}] })],
    ['a payload that is no object', taskEvent({ payload: [] })],
  ])('is refused: %s', (_what, event) => {
    expect(judge(event, sender())).toBe('body-invalid');
  });
});

describe("the gateway's own resources", () => {
  it.each(['lictor.request.1', 'Lictor.principal.alice', 'lictor:request', '\u2060lictor.request.1', 'Іictor.request.1'])(
    '%s is nobody else’s to speak of',
    (id) => {
      const about = { ...named('order.created'), resource: { 'prefect.resource.id': id } };
      const beside = { ...named('order.created'), related: [{ 'prefect.resource.id': id, 'prefect.resource.role': 'x' }] };
      for (const by of [sender('service'), sender('user'), sender('worker')])
        for (const event of [about, beside]) expect(judge(event, by)).toBe('event-reserved');
    },
  );

  it.each(['lictor.principal', 'Lictor.principal', 'lictor', '\u2060lictor.reason', 'Іictor.principal'])('nor is the label %s', (label) => {
    const about = { ...named('order.created'), resource: { 'prefect.resource.id': 'order.1', [label]: 'alice' } };
    const beside = { ...named('order.created'), related: [{ 'prefect.resource.id': 'order.1', 'prefect.resource.role': 'x', [label]: 'alice' }] };
    for (const by of [run, sender('service'), sender('user'), sender('worker')])
      for (const event of [about, beside]) expect(judge(event, by), by.kind).toBe('event-reserved');
  });

  it.each(['lictors.principal', 'prefect.lictor.principal', 'team', 'principal.lictor'])('the label %s is anybody’s', (label) => {
    const event = { ...named('order.created'), resource: { 'prefect.resource.id': 'order.1', [label]: 'alice' } };
    expect(judge(event, sender('service'))).toBe('ok');
  });

  it('a name that only begins alike is anybody’s', () => {
    expect(judge({ ...named('order.created'), resource: { 'prefect.resource.id': 'lictors.1' } }, sender('service'))).toBe('ok');
  });
});

describe('a run and the runs below it', () => {
  const CHILD = '66666666-6666-4666-8666-666666666666';
  const rules = (memory = createEventMemory()) => createEventRules(memory, (own, other) => other === own || (own === OWN && other === CHILD));

  it('a sub-flow in the same process is spoken of, with its task runs; a run that is not below is not', () => {
    expect(judge(taskEvent({}, CHILD), run, rules())).toBe('ok');
    expect(judge(taskEvent({}, FOREIGN), run, rules())).toBe('event-foreign-run');
    expect(judge(taskEvent({}, CHILD), run)).toBe('event-foreign-run');
  });

  it('a task run that is known to be of another run is not the own one, whatever the event relates it to', () => {
    const memory = createEventMemory();
    memory.noteTaskRun(TASK, FOREIGN);
    expect(judge(taskEvent(), run, rules(memory))).toBe('event-foreign-run');
    // Without a run: a foreign background task.
    memory.noteTaskRun(OTHER_TASK, '');
    expect(judge(taskEvent({ resource: { 'prefect.resource.id': `prefect.task-run.${OTHER_TASK}` } }), run, rules(memory))).toBe('event-foreign-run');
  });
});
