// Attributes -> identity: names, groups, claims, and what is refused rather than guessed.
import { expect, it } from 'vitest';
import type { NameId } from './assertion.ts';
import { identityOf } from './identity.ts';

const CONFIG = { id: 'adfs', groupsAttribute: 'groups' };
const UPN = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn';
const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
const nameId = (value: string, format: string | null = null): NameId => ({ value, format, nameQualifier: null, spNameQualifier: null });
const identity = (name: NameId, attributes: Readonly<Record<string, readonly string[]>>) =>
  identityOf({ nameId: name, attributes: new Map(Object.entries(attributes)) }, CONFIG);

it('the NameID is subject and name, groups are sorted and once, single values are claims', () => {
  expect(identity(nameId('alice'), { groups: ['b', 'a', 'b'], department: ['etl'], phones: ['1', '2'], empty: [] })).toEqual({
    ok: true,
    identity: { idp: 'adfs', subject: 'alice', name: 'alice', kind: 'user', groups: ['a', 'b'], claims: { department: 'etl' } },
  });
});

it('a persistent NameID is the subject, and the name is one that the provider assigns', () => {
  expect(identity(nameId('f3b1', PERSISTENT), { [UPN]: ['alice@example.com'] })).toMatchObject({ identity: { subject: 'f3b1', name: 'alice@example.com' } });
  expect(identity(nameId('f3b1', PERSISTENT), { [UPN]: ['alice', 'admin'] })).toMatchObject({ identity: { name: 'f3b1' } });
  expect(identity(nameId('f3b1', PERSISTENT), { mail: ['admin@example.com'] })).toMatchObject({ identity: { name: 'f3b1' } });
  expect(identity(nameId('alice'), { [UPN]: ['admin'] })).toMatchObject({ identity: { name: 'alice' } });
});

it('rejects a name with a *, which means everyone in lictor.yaml', () => {
  expect(identity(nameId('*'), {})).toMatchObject({ ok: false, reason: 'assertion-invalid', detail: expect.stringContaining('stands for everybody') });
  expect(identity(nameId('a*'), { [UPN]: ['alice'] })).toMatchObject({ reason: 'assertion-invalid' });
  expect(identity(nameId('f3b*', PERSISTENT), {})).toMatchObject({ reason: 'assertion-invalid' });
  expect(identity(nameId('f3b1', PERSISTENT), { [UPN]: ['*'] })).toMatchObject({ ok: true, identity: { name: 'f3b1' } });
  expect(identity(nameId('f3b*', PERSISTENT), { [UPN]: ['alice'] })).toMatchObject({ ok: true, identity: { subject: 'f3b*', name: 'alice' } });
});

it('accepts a person without groups', () => {
  expect(identity(nameId('bob'), {})).toMatchObject({ ok: true, identity: { groups: [] } });
});

it('rejects groups that were left out or cannot be parsed', () => {
  expect(identity(nameId('alice'), { 'http://schemas.microsoft.com/claims/groups.link': ['https://graph.example'] })).toMatchObject({
    reason: 'groups-overage',
  });
  expect(identity(nameId('alice'), { groups: ['a', ''] })).toMatchObject({ reason: 'groups-unreadable' });
  expect(identity(nameId('alice'), { groups: ['a\nb'] })).toMatchObject({ reason: 'groups-unreadable' });
});
