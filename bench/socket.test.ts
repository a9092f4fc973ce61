import { describe, expect, it } from 'vitest';
import { createEventMemory } from '../src/prefect/events/memory.ts';
import { createEventRules } from '../src/prefect/events/rules.ts';
import { taskRunEvent } from './socket.ts';

const SENDER = { id: 'service:bench', kind: 'service', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] } as const;

describe('the event of the bench', () => {
  it('is one that the relay passes on', () => {
    const rules = createEventRules(createEventMemory());
    expect([1, 2].map(() => rules(JSON.parse(JSON.stringify(taskRunEvent())), SENDER))).toEqual([{ ok: true }, { ok: true }]);
  });
});
