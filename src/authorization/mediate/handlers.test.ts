import { describe, expect, it } from 'vitest';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { createEventMemory } from '../../prefect/events/memory.ts';
import { createEventRules } from '../../prefect/events/rules.ts';
import { takeSlots, touchLease } from './concurrency-slots.ts';
import { defaultHandler } from './default-handler.ts';
import { pollDeployments } from './deployments.ts';
import { createHandlers, namedHandlers } from './handlers.ts';
import { codeOf, RUN, startMediator } from './mediator.fixture.ts';
import { createArtifact, createLogs, createTaskRun } from './run-output.ts';
import { setTaskState } from './set-task-state.ts';

const publicUrl = { origin: 'https://gate', basePath: '' };
const eventRules = createEventRules(createEventMemory());

describe('handlers', () => {
  /** Mediated only for principals with scopes, and for runs. */
  const BY_SCOPE = [createLogs, createArtifact, createTaskRun, setTaskState, takeSlots, touchLease, pollDeployments].flatMap(({ operations }) => operations);

  it('name only operations that the catalogue mediates, each once', () => {
    const catalogue = createCatalogue();
    const named = namedHandlers({ publicUrl, eventRules }).flatMap((handler) => handler.operations);
    expect(new Set(named).size).toBe(named.length);
    for (const operationId of named)
      expect([operationId, catalogue.byId(operationId)?.taken]).toEqual([operationId, BY_SCOPE.includes(operationId) ? 'direct' : 'mediated']);
  });

  it.each(createCatalogue().operations.filter(({ taken, method }) => taken === 'mediated' && method !== 'GET'))(
    'BD-03: $method $path refuses a body that parsers read differently',
    async ({ method, path }) => {
      const gate = startMediator();
      const target = path.replaceAll(/\{[^}]+\}/g, RUN);
      for (const body of ['{"a":{"b":1,"b":2}}', '{"a":1e400}', '\ufeff{}']) {
        expect(codeOf(await gate.send({ role: 'admin', method, path: target, body }))).toBe('body-not-json');
      }
      expect(gate.forwarded).toEqual([]);
    },
  );

  it('leave the rest to the default handler', () => {
    const handlerOf = createHandlers({ publicUrl, eventRules });
    expect(handlerOf('create_saved_search_saved_searches__put')).toBe(defaultHandler);
    expect(handlerOf('set_flow_run_state_flow_runs__id__set_state_post')).not.toBe(defaultHandler);
  });
});
