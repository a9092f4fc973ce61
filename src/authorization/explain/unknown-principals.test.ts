// Principals in a draft that Lictor does not know.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../../identity/authn/store.fixture.ts';
import { unknownPrincipals } from './unknown-principals.ts';

let test: TestStore;
beforeEach(async () => {
  test = await openTestStore();
  await test.store.accounts.create({ id: '1', name: 'bob', roles: ['viewer'], password: '' });
  await test.token({ name: 'etl' });
});
afterEach(() => test.close());

const warned = async (text: string, file = 'a.cedar') => {
  const config = { identityProviders: [{ id: 'local', type: 'accounts' } as const], roles: [], agents: [] };
  const found = await unknownPrincipals({ [file]: text }, { config, store: async () => test.store, nowMs: test.clock() });
  return found.map(({ message, line, column }) => [message, line, column]);
};

it.each([
  ['bob@locla', 'no such principal "bob@locla": did you mean bob@local?'],
  ['bob', 'no such principal "bob": did you mean bob@local?'],
  ['etl', 'no such principal "etl": did you mean token:etl?'],
  ['someone-else@corp', 'no such principal "someone-else@corp"'],
  ['role:viewer', 'no such principal "role:viewer"'],
])('%s is a warning at its place', async (name, message) => {
  const text = `// 😀\npermit (principal == Principal::"bob@local", action, resource);\nforbid (principal == Principal::"${name}", action, resource);`;
  expect(await warned(text)).toEqual([[message, 3, 33]]);
});

it('twin: none for those who are known, for runs, in comments and strings, and in vectors', async () => {
  const names = ['bob@local', 'token:etl', 'run:0199c0de-0000-7000-8000-000000000001'];
  expect(await warned(names.map((name) => `permit (principal == Principal::"${name}", action, resource);`).join('\n'))).toEqual([]);
  expect(await warned('// Principal::"x"\n@description("Principal::\\"y\\"") permit (principal, action, resource);')).toEqual([]);
  expect(await warned('Principal::"x"', 'a.vectors.yaml')).toEqual([]);
});

it.each([
  ['a line each', '\n', 1, 69_905],
  ['one line', ' ', 69_904 * 15 + 1, 1],
])('a draft as large as the API takes, with names on %s, holds up no request', async (_case, space, column, line) => {
  const found = await warned(`Principal::"x"${space}`.repeat(69_905));
  expect([found.length, found.at(-1)]).toEqual([69_905, ['no such principal "x"', line, column + 'Principal::'.length]]);
});
