import { describe, expect, it } from 'vitest';
import { decodeFacts, encodeFacts } from './facts.ts';
import type { AccessFacts } from './names.ts';

const FACTS: AccessFacts = {
  principal: 'alice@local',
  principal_kind: 'user',
  idp: 'local',
  credential_id: 'session:1',
  on_behalf_of: ['zoë@local'],
  decision: 'deny',
  reason: 'policy-forbids',
  policies: ['role:viewer:read'],
  action: 'flow_runs.read',
  revision: 3,
  session_id: 's1',
};

describe('facts', () => {
  it('come back by name', () => expect(decodeFacts(encodeFacts(FACTS))).toEqual(FACTS));

  it('that say nothing are left out at the end, and are missing then', () => {
    const service = { ...FACTS, idp: null, session_id: null, on_behalf_of: [] };
    const { idp, session_id, on_behalf_of, ...said } = service;
    expect(encodeFacts(service).length).toBeLessThan(encodeFacts(FACTS).length - 20);
    expect(decodeFacts(encodeFacts(service))).toEqual(said);
    expect([idp, session_id, on_behalf_of]).toEqual([null, null, []]);
  });

  it.each(['', '!!!', 'e30', 'bnVsbA', 'ImFsbG93Ig'])('are nothing in %j', (text) => expect(decodeFacts(text)).toBeUndefined());
});
