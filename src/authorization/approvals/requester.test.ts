// Who the requester is, who answers for it, and whether a rule is about it.
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../contract/principal.ts';
import { runPrincipalId } from '../../contract/run-token.ts';
import { isAbout, requesterOf } from './requester.ts';

const AGENTS = [{ name: 'copilot', sponsor: { name: 'alice', idp: 'corp' } }];
const ALICE: Principal = {
  id: 'alice@corp',
  kind: 'user',
  idp: 'corp',
  roles: [],
  grants: [],
  groups: ['leads'],
  attributes: { dept: 'etl-7' },
  onBehalfOf: [],
};
const COPILOT: Principal = {
  ...ALICE,
  id: 'agent:copilot',
  kind: 'agent',
  idp: null,
  groups: [],
  attributes: {},
  onBehalfOf: ['alice@corp'],
  limitedBy: [ALICE],
};
const RUN: Principal = { ...COPILOT, id: 'run:1', kind: 'run', onBehalfOf: ['agent:copilot', 'alice@corp'], limitedBy: [] };

function requester(principal: Principal, audience?: 'mcp') {
  const credential = { id: 'login:g1', carrier: 'authorization', expiresAtMs: null, sessionId: null, alsoPresented: [] } as const;
  const authorization = { ok: true, principal, credential, decisions: [], restrictions: [], entities: [] } as const;
  return requesterOf({ authorization, call: { inputs: audience === undefined ? {} : { audience } } }, AGENTS);
}

describe('the requester', () => {
  it('of an agent is the agent, for which its sponsor answers; of its runs too', () => {
    expect(requester(COPILOT)).toEqual({ id: 'agent:copilot', chain: ['alice@corp'], countedFor: 'agent:copilot', sponsor: 'alice@corp' });
    expect(requester(RUN)).toEqual({ id: 'run:1', chain: ['agent:copilot', 'alice@corp'], countedFor: 'agent:copilot', sponsor: 'alice@corp' });
    const parents = [runPrincipalId(randomUUID()), runPrincipalId(randomUUID())];
    const below = { ...RUN, onBehalfOf: [...parents, 'agent:copilot', 'alice@corp'] };
    expect(requester(below)).toMatchObject({ id: 'run:1', countedFor: 'agent:copilot', sponsor: 'alice@corp' });
  });

  it('of a person is the person, for whom nobody answers', () => {
    expect(requester(ALICE)).toEqual({ id: 'alice@corp', chain: [], countedFor: 'alice@corp', sponsor: null });
  });

  it('of a client that acts for a person over MCP is the login, for which the person answers', () => {
    expect(requester(ALICE, 'mcp')).toEqual({ id: 'login:g1', chain: ['alice@corp'], countedFor: 'alice@corp', sponsor: 'alice@corp' });
    expect(requester(COPILOT, 'mcp')).toEqual(requester(COPILOT));
  });
});

it('a rule for a group is about every chain that has a member of the group behind the others', () => {
  const job: Principal = { ...COPILOT, id: 'job@ci', kind: 'service', onBehalfOf: ['agent:copilot', 'alice@corp'], limitedBy: [COPILOT] };
  expect(isAbout({ principals: ['group:leads@corp'] }, job)).toBe(true);
  expect(isAbout({ principals: ['group:leads@corp'] }, { ...job, limitedBy: [{ ...COPILOT, limitedBy: [] }] })).toBe(false);
});

it.each<readonly [member: string, ofAgent: boolean, ofRun: boolean, ofPerson: boolean]>([
  ['agent:*', true, true, false],
  ['agent:copilot', true, true, false],
  ['agent:other', false, false, false],
  ['user:alice@corp', true, true, true],
  ['user:alic@corp', false, false, false],
  ['*@corp', true, true, true],
  ['*@orp', false, false, false],
  ['group:leads@corp', true, false, true],
  ['group:leads@other', false, false, false],
  ['claim:dept=etl-*@corp', true, false, true],
  ['claim:dept=ops-*@corp', false, false, false],
  ['token:copilot', false, false, false],
])('a rule for %s is about the agent: %s, its run: %s, its sponsor: %s', (member, ...expected) => {
  expect([COPILOT, RUN, ALICE].map((principal) => isAbout({ principals: [member] }, principal))).toEqual(expected);
});
