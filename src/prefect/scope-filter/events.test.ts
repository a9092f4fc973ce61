import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../contract/json/tree.ts';
import { questionOf, sendableEvents, visibleEvents } from './events.ts';

const A = '11111111-0000-4000-8000-000000000000';
const B = '22222222-0000-4000-8000-000000000000';
const C = '33333333-0000-4000-8000-000000000000';

function event(resource: string, ...related: readonly (string | readonly [string, string])[]): JsonObject {
  return {
    event: 'x',
    resource: { 'prefect.resource.id': resource },
    related: related.map((each) =>
      typeof each === 'string' ? { 'prefect.resource.id': each } : { 'prefect.resource.id': each[0], 'prefect.resource.role': each[1] },
    ),
  };
}

/** A principal that sees only A. */
async function isSeen(...given: Parameters<typeof event>): Promise<boolean> {
  const [seen] = await visibleEvents([event(...given)], async (_type, ids) => new Set(ids.filter((id) => id === A)));
  return seen != null;
}

describe('an event of a known object', () => {
  it.each(['flow-run', 'task-run', 'deployment', 'flow', 'work-pool', 'variable', 'block-document', 'automation', 'concurrency-limit', 'artifact'])(
    'of kind %s is seen with the object, and not with another',
    async (kind) => {
      expect(await isSeen(`prefect.${kind}.${A}`)).toBe(true);
      expect(await isSeen(`prefect.${kind}.${B}`)).toBe(false);
    },
  );

  it('names flow, pool and queue of a run or deployment as parts of it', async () => {
    const parts = [`prefect.flow.${B}`, `prefect.work-pool.${B}`, `prefect.work-queue.${B}`, 'prefect.tag.x'] as const;
    expect(await isSeen(`prefect.flow-run.${A}`, ...parts)).toBe(true);
    expect(await isSeen(`prefect.deployment.${A}`, ...parts)).toBe(true);
    expect(await isSeen(`prefect.work-queue.${A}`, `prefect.work-pool.${B}`)).toBe(false);
    expect(await isSeen(`prefect.flow-run.${A}`, [`prefect.automation.${B}`, 'creator'])).toBe(true);
  });

  it('is not seen when it names a foreign object', async () => {
    expect(await isSeen(`prefect.flow-run.${A}`, `prefect.deployment.${B}`)).toBe(false);
    expect(await isSeen(`prefect.automation.${A}`, `prefect.flow-run.${B}`)).toBe(false);
    expect(await isSeen(`prefect.flow-run.${B}`, `prefect.deployment.${A}`)).toBe(false);
  });

  it('is asked by its flow run when it is in one', async () => {
    expect(questionOf(event(`prefect.task-run.${B}`, `prefect.flow-run.${A}`, `prefect.flow.${B}`))).toEqual({
      any: [{ type: 'FlowRun', id: A }],
      all: [{ type: 'FlowRun', id: A }],
    });
    expect(await isSeen(`prefect.task-run.${A}`, `prefect.flow-run.${B}`)).toBe(false);
  });
});

describe('any other event', () => {
  it('is seen by what it is related to, and needs all of it', async () => {
    expect(await isSeen('thing.1', `prefect.deployment.${A}`)).toBe(true);
    expect(await isSeen('thing.1', `prefect.deployment.${B}`)).toBe(false);
    expect(await isSeen('thing.1', `prefect.deployment.${A}`, `prefect.deployment.${B}`)).toBe(false);
    expect(await isSeen('prefect.worker.process.w-1', `prefect.work-pool.${A}`)).toBe(true);
    expect(await isSeen('prefect.artifact-collection.x', `prefect.artifact.${B}`, `prefect.flow-run.${A}`)).toBe(true);
  });

  it('is not seen when it is related to nothing, or cannot be read', async () => {
    expect(await isSeen('thing.1')).toBe(false);
    expect(await isSeen('thing.1', 'prefect.tag.team-a')).toBe(false);
    expect(await isSeen('prefect.flow-run.not-an-id')).toBe(false);
    expect(await visibleEvents([{}, { resource: { 'prefect.resource.id': `prefect.flow-run.${A}` }, related: 1 }], async (_type, ids) => new Set(ids))).toEqual(
      [null, null],
    );
  });

  it("shows of an automation's own event who triggered it only where that is reached", async () => {
    const fired = (run: string) => ({
      ...event(`prefect.automation.${A}`, 'prefect.event.1'),
      payload: { triggering_labels: { x: run }, triggering_event: event(`prefect.flow-run.${run}`) },
    });
    const visibleIds = async (_type: string, ids: readonly string[]) => new Set(ids.filter((id) => id === A));
    expect(await visibleEvents([fired(A), fired(B)], visibleIds)).toEqual([
      fired(A),
      { ...fired(B), payload: { triggering_labels: {}, triggering_event: null } },
    ]);
  });

  it('asks once for each kind', async () => {
    const asked: string[] = [];
    await visibleEvents([event(`prefect.flow-run.${A}`), event(`prefect.flow-run.${B}`), event(`prefect.flow-run.${A}`)], async (type, ids) => {
      asked.push(`${type} ${ids.length}`);
      return new Set();
    });
    expect(asked).toEqual(['FlowRun 2']);
  });
});

describe('what may be said', () => {
  /** For a principal that sees A; the task run B is in a foreign run. */
  async function maySay(...given: Parameters<typeof event>): Promise<boolean | undefined> {
    const visibleIds = async (_type: string, ids: readonly string[]) => new Set(ids.filter((id) => id === A));
    const partsOf = async () => new Map([[`FlowRun ${A}`, new Set([`Flow ${C}`, `WorkPool ${C}`])]]);
    const [may] = await sendableEvents([event(...given)], { visibleIds, foreign: async (tasks) => new Set(tasks.filter((id) => id === B)), partsOf });
    return may;
  }

  it('is anything about nothing of Prefect, and about what is reached', async () => {
    expect(await maySay('order.1')).toBe(true);
    expect(await maySay('order.1', `prefect.deployment.${A}`)).toBe(true);
    expect(await maySay(`prefect.flow-run.${A}`, `prefect.flow.${A}`, 'prefect.tag.x')).toBe(true);
    expect(await maySay(`prefect.flow-run.${A}`, `prefect.flow.${C}`, `prefect.work-pool.${C}`, 'prefect.tag.x')).toBe(true);
    expect(await maySay(`prefect.task-run.${C}`, `prefect.flow-run.${A}`)).toBe(true);
  });

  it('is nothing about a foreign object, as resource or as related', async () => {
    for (const kind of ['flow-run', 'deployment', 'flow', 'work-pool', 'variable', 'block-document', 'automation', 'concurrency-limit', 'artifact']) {
      expect(await maySay(`prefect.${kind}.${B}`), kind).toBe(false);
      expect(await maySay('order.1', `prefect.${kind}.${B}`), kind).toBe(false);
    }
    expect(await maySay(`prefect.flow-run.${A}`, `prefect.deployment.${B}`)).toBe(false);
  });

  it('is no foreign flow, pool or queue beside the own run', async () => {
    for (const part of [`prefect.flow.${B}`, `prefect.work-pool.${B}`, `prefect.work-queue.${C}`])
      expect(await maySay(`prefect.flow-run.${A}`, `prefect.flow.${C}`, part), part).toBe(false);
    expect(await maySay(`prefect.deployment.${A}`, `prefect.flow.${C}`)).toBe(false);
  });

  it('is nothing about a task run in a foreign run, whatever run it names', async () => {
    expect(await maySay(`prefect.task-run.${B}`, `prefect.flow-run.${A}`)).toBe(false);
    expect(await maySay(`prefect.task-run.${C}`, `prefect.flow-run.${B}`)).toBe(false);
    expect(await maySay(`prefect.task-run.${C}`)).toBe(false);
  });
});

describe('an object in a spelling that Prefect takes for an id', () => {
  const say = (...given: Parameters<typeof event>) =>
    sendableEvents([event(...given)], {
      visibleIds: async (_type, ids) => new Set(ids.filter((id) => id === A)),
      foreign: async () => new Set(),
      partsOf: async () => new Map(),
    });

  it.each([`{${B}}`, `urn:uuid:${B}`, B.replace('-', ''), `${B}}`, 'x', ''])('is neither said nor seen as %s', async (id) => {
    expect(await say(`prefect.flow-run.${id}`)).toEqual([false]);
    expect(await say('order.1', `prefect.deployment.${A}`, `prefect.automation.${id}`)).toEqual([false]);
    expect(await isSeen('order.1', `prefect.deployment.${A}`, `prefect.automation.${id}`)).toBe(false);
  });

  it('is said and seen with its own id, an old limit too', async () => {
    expect(await say('order.1', `prefect.deployment.${A}`, 'prefect.tag.x', 'prefect.worker.process.w')).toEqual([true]);
    expect(await say(`prefect.concurrency-limit.v1.${A}`)).toEqual([true]);
    expect(await say(`prefect.concurrency-limit.v1.${B}`)).toEqual([false]);
    expect(await isSeen(`prefect.concurrency-limit.v1.${A}`)).toBe(true);
    expect(await isSeen(`prefect.concurrency-limit.v1.${B}`)).toBe(false);
  });
});
