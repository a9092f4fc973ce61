import { describe, expect, it } from 'vitest';
import { decodeFacts, encodeFacts } from './facts.ts';
import type { AccessFacts } from './names.ts';

const FACTS: AccessFacts = {
  principal: 'alice@local',
  principal_kind: 'user',
  idp: 'local',
  credential_id: 'session:1',
  on_behalf_of: ['zoë@local', 'a,b~c'],
  decision: 'deny',
  reason: 'policy-forbids',
  policies: ['role:viewer:read', 'my own'],
  action: 'flow_runs.read',
  revision: 3,
  session_id: 's1',
};

describe('facts', () => {
  it('come back by name', () => expect(decodeFacts(encodeFacts(FACTS))).toEqual(FACTS));

  it('that say nothing are left out, and are missing then', () => {
    const { idp, session_id, on_behalf_of, policies, ...said } = FACTS;
    const service = { ...said, idp: null, session_id: null, on_behalf_of: [], policies: [] };
    expect(encodeFacts(service)).toBe('alice%40local~user~session%3A1~deny~policy-forbids~~flow_runs.read~3');
    expect(decodeFacts(encodeFacts(service))).toEqual(said);
    expect([idp, session_id, on_behalf_of, policies]).not.toContain(null);
  });

  it.each(['a~b', 'a,b', '~', '"\\\r\n\0', '%7E', '\u{1f40d}', 'é', 'null', '5'])(
    'stay what they are, and need no escape in a header or in JSON: %j',
    (text) => {
      const facts = { ...FACTS, principal: text, policies: [text, 'x'], on_behalf_of: [text] };
      const encoded = encodeFacts(facts);
      expect(decodeFacts(encoded)).toEqual(facts);
      expect(encoded).toMatch(/^[A-Za-z0-9_.!~*'()%,-]+$/);
    },
  );

  it('take a name that no encoding takes', () => {
    expect(decodeFacts(encodeFacts({ ...FACTS, principal: 'a\ud800' }))).toMatchObject({ principal: 'a\ufffd' });
  });

  it('of an older gateway are read too', () => {
    const old = Buffer.from(JSON.stringify(['alice@local', 'user', 'session:1', 'allow', 'policy-permits', ['p'], 'flow_runs.read', 3])).toString('base64url');
    expect(decodeFacts(old)).toMatchObject({ principal: 'alice@local', decision: 'allow', policies: ['p'], revision: 3 });
  });

  it.each(['', '!!!', 'e30', 'bnVsbA', 'ImFsbG93Ig', 'a~%', 'a~%ff'])('are nothing in %j', (text) => expect(decodeFacts(text)).toBeUndefined());
});
