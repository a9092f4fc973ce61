// Claims of Keycloak, Okta and Entra -> name, groups, further claims. Lictor guesses no missing claim.
import { describe, expect, it } from 'vitest';
import type { Claims } from '../jwt/compact.ts';
import { identityOf, readGroups } from './claims.ts';

const PROVIDER = { id: 'corp', issuer: 'https://idp.example/realms/data', groupsClaim: 'groups' };
const OKTA = { ...PROVIDER, issuer: 'https://acme.okta.com/oauth2/default' };
const identity = (claims: Claims, provider = PROVIDER) => identityOf(claims, provider);
const reason = (claims: Claims, provider = PROVIDER): string => {
  const read = identityOf(claims, provider);
  return read.ok ? 'ok' : read.reason;
};

describe('the claims of providers', () => {
  it('Keycloak: groups besides realm roles, without claims that change in every token', () => {
    const claims = {
      ...{
        exp: 2,
        iat: 1,
        auth_time: 1,
        jti: 'a',
        iss: 'https://idp.example',
        aud: 'lictor',
        sub: 'f:1',
        typ: 'ID',
        azp: 'lictor',
        nonce: 'n',
        sid: 's',
        at_hash: 'h',
      },
      ...{ acr: '1', email_verified: true, name: 'Alice Example', preferred_username: 'alice', email: 'alice@example.com' },
      groups: ['platform', '/team-a/etl', 'platform'],
      realm_access: { roles: ['prefect-admin'] },
      address: { country: 'AT', depth: { more: { and: { more: 'too deep' } } } },
    };
    expect(identity(claims)).toEqual({
      ok: true,
      identity: {
        ...{ idp: 'corp', subject: 'f:1', name: 'alice', kind: 'user', groups: ['/team-a/etl', 'platform'] },
        claims: {
          ...{ sub: 'f:1', acr: '1', email_verified: 'true', name: 'Alice Example', preferred_username: 'alice', email: 'alice@example.com' },
          'address.country': 'AT',
        },
      },
    });
    expect(readGroups(claims, 'realm_access.roles')).toEqual({ kind: 'groups', groups: ['prefect-admin'] });
  });

  it('Okta: the login is the name, groups come from a filter, and a person without groups is accepted', () => {
    const claims = {
      ...{ sub: '00uid4BxXw6I6TV4m0g3', ver: 1, iss: OKTA.issuer, aud: 'uAaunofWkaDJxukCFeBx', iat: 1, exp: 2, jti: 'ID.4eAWJOCMB3SX8XewDfVR', amr: ['pwd'] },
      ...{
        idp: '00oid7lUrFSzBTXXX0g3',
        auth_time: 1,
        preferred_username: 'saml.jackson@acme.example',
        name: 'Saml Jackson',
        email: 'saml.jackson@acme.example',
      },
    };
    const read = identity({ ...claims, groups: ['Everyone', 'Data Platform'] }, OKTA);
    expect(read).toMatchObject({ ok: true, identity: { name: 'saml.jackson@acme.example', groups: ['Data Platform', 'Everyone'] } });
    expect(identity(claims, OKTA)).toMatchObject({ ok: true, identity: { groups: [] } });
  });

  it('Okta: a list of a hundred groups may have been shortened silently', () => {
    const groups = (count: number) => Array.from({ length: count }, (_, index) => `group-${index}`);
    expect(reason({ sub: 'a', groups: groups(100) }, OKTA)).toBe('groups-overage');
    expect(reason({ sub: 'a', groups: groups(99) }, OKTA)).toBe('ok');
    expect(reason({ sub: 'a', groups: groups(100) })).toBe('ok');
    expect(reason({ sub: 'a', groups: groups(100) }, { ...OKTA, issuer: 'https://okta.com.evil.example' })).toBe('ok');
  });

  it.each([
    ['_claim_names', { _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.microsoft.com/v1.0/users/1/getMemberObjects' } } }],
    ['hasgroups', { hasgroups: true }],
    ['hasgroups as text', { hasgroups: 'true' }],
    ['both, beside some groups', { groups: ['a'], _claim_names: { groups: 'src1' } }],
  ])('Entra: rejects a login with too many groups, reported by %s', (_name, more) => {
    expect(reason({ sub: 'a', preferred_username: 'alice@contoso.example', ...more })).toBe('groups-overage');
  });

  it('Entra: where roles are read, too many groups do not matter', () => {
    const claims = { sub: 'a', upn: 'alice@contoso.example', hasgroups: true, _claim_names: { groups: 'src1' }, roles: ['Prefect.Admin'] };
    expect(identity(claims, { ...PROVIDER, groupsClaim: 'roles' })).toMatchObject({
      ok: true,
      identity: { name: 'alice@contoso.example', groups: ['Prefect.Admin'] },
    });
  });

  it('rejects a name with a *, which means everyone in lictor.yaml', () => {
    const name = (claims: Claims): string => {
      const read = identity(claims);
      return read.ok ? read.identity.name : read.detail;
    };
    expect(name({ sub: 's1', preferred_username: '*' })).toBe('s1');
    expect(name({ sub: 's1', preferred_username: 'a*', upn: 'alice@acme' })).toBe('alice@acme');
    expect(name({ sub: 's*', preferred_username: 'alice' })).toBe('alice');
    expect(name({ sub: 's*', preferred_username: '*' })).toContain('stands for everybody');
    expect(reason({ sub: '*' })).toBe('id-token-invalid');
  });

  it('a claim whose own name looks like a path is found by its name', () => {
    expect(readGroups({ 'https://example.com/groups': ['a'] }, 'https://example.com/groups')).toEqual({ kind: 'groups', groups: ['a'] });
  });
});

describe('groups', () => {
  it.each([
    ['one name', 'platform', { kind: 'groups', groups: ['platform'] }],
    ['an empty list', [], { kind: 'groups', groups: [] }],
    ['nothing', undefined, { kind: 'absent' }],
    ['null', null, { kind: 'absent' }],
    ['a number', 5, { kind: 'unreadable' }],
    ['an object', { a: 1 }, { kind: 'unreadable' }],
    ['objects', [{ name: 'platform' }], { kind: 'unreadable' }],
    ['a name with a line break', ['a\nb'], { kind: 'unreadable' }],
    ['an empty name', [''], { kind: 'unreadable' }],
    ['half a surrogate pair', ['a', 'admin\ud800'], { kind: 'unreadable' }],
    ['a whole one', ['🐍'], { kind: 'groups', groups: ['🐍'] }],
    ['an endless name', ['x'.repeat(600)], { kind: 'unreadable' }],
    ['an endless list', Array.from({ length: 2001 }, String), { kind: 'unreadable' }],
  ])('%s', (_name, groups, expected) => {
    expect(readGroups({ groups }, 'groups')).toEqual(expected);
    expect(readGroups({ a: { groups } }, 'a.groups')).toEqual(expected);
    if (expected.kind === 'unreadable') expect(reason({ sub: 'a', groups })).toBe('groups-unreadable');
  });

  it('are not read from properties of Object.prototype', () => {
    for (const path of ['constructor', 'toString', '__proto__.polluted', 'a.constructor.name'])
      expect(readGroups({ a: {} }, path), path).toEqual({ kind: 'absent' });
  });
});

describe('the name', () => {
  const name = (claims: Claims): string => {
    const read = identity({ sub: 'subject-1', ...claims });
    return read.ok ? read.identity.name : read.reason;
  };

  it.each([
    [{ preferred_username: 'alice', upn: 'x', email: 'y@example.com', email_verified: true }, 'alice'],
    [{ upn: 'alice@contoso.example', email: 'y@example.com' }, 'alice@contoso.example'],
    [{ email: 'alice@example.com', email_verified: true }, 'alice@example.com'],
    [{ email: 'alice@example.com', email_verified: false }, 'subject-1'],
    [{ email: 'alice@example.com', email_verified: 'true' }, 'subject-1'],
    [{ email: 'alice@example.com' }, 'subject-1'],
    [{ preferred_username: 'alice smith' }, 'subject-1'],
    [{ preferred_username: 'alice\u202e' }, 'subject-1'],
    [{ preferred_username: '' }, 'subject-1'],
    [{ preferred_username: 7 }, 'subject-1'],
    [{}, 'subject-1'],
  ])('of %j is %s', (claims, expected) => expect(name(claims)).toBe(expected));

  it.each([undefined, '', 'a b', 'x'.repeat(300), 5, null])('without a usable subject (%j) there is no login', (sub) => {
    expect(reason({ sub, preferred_username: 'alice' })).toBe('id-token-invalid');
  });
});

describe('further claims', () => {
  const claims = (given: Claims) => {
    const read = identity({ sub: 'a', ...given });
    return read.ok ? read.identity.claims : {};
  };

  it('are bounded in number and length', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`c${index}`, 'x']));
    expect(Object.keys(claims(many)).length).toBe(100);
    expect(claims({ long: 'x'.repeat(513), fits: 'x'.repeat(512) })).toEqual({ sub: 'a', fits: 'x'.repeat(512) });
  });

  it.each<Claims>([
    { 'a.b': 'x', a: { b: 'y', c: 'z' } },
    { a: { b: 'y', c: 'z' }, 'a.b': 'x' },
    { 'a.b': 'x', a: { b: 'x', c: 'z' } },
    { 'a.b': 'x', a: { b: ['y'], c: 'z' } },
    { a: { b: 'x'.repeat(600), c: 'z' }, 'a.b': 'x' },
  ])('of one path twice are left out, whatever came last: %j', (given) => {
    expect(claims(given)).toEqual({ sub: 'a', 'a.c': 'z' });
  });

  it('of one path are a claim, also beside a path with the same beginning', () => {
    expect(claims({ 'a.b': 'x', a: { c: 'y' }, 'a.b.c': 'z' })).toEqual({ sub: 'a', 'a.b': 'x', 'a.c': 'y', 'a.b.c': 'z' });
  });

  it('with the same path are left out, also beyond the hundredth', () => {
    const many = Object.fromEntries(Array.from({ length: 120 }, (_, index) => [`c${index}`, 'x']));
    expect(Object.keys(claims({ 'a.b': 'x', ...many, a: { b: 'y' } }))).not.toContain('a.b');
  });

  it.each([false, 'false'])('an address that is not verified (%j) is left out', (verified) => {
    expect(claims({ email: 'boss@example.com', email_verified: verified })).toEqual({ sub: 'a', email_verified: 'false' });
  });

  it.each([true, 'true', undefined])('an address is included if it is verified (%j), or if the provider says nothing', (verified) => {
    expect(claims({ email: 'a@example.com', email_verified: verified })).toMatchObject({ email: 'a@example.com' });
  });

  it('without valid Unicode are left out: in UTF-8 two of them are equal', () => {
    expect(claims({ team: 'a\ud800', ['b\udc00']: 'x', c: '🐍' })).toEqual({ sub: 'a', c: '🐍' });
  });

  it('cannot replace a property of Object.prototype', () => {
    const given = JSON.parse('{"__proto__": {"admin": "yes"}, "constructor": "x"}');
    expect(claims(given)).toEqual({ sub: 'a', constructor: 'x', ['__proto__.admin']: 'yes' });
    expect(Object.getPrototypeOf(claims(given))).toBe(Object.prototype);
  });
});
