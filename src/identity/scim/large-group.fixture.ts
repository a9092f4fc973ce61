// For tests: a large group is created, changed and read while other work gets its turns.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openTestStore, type TestStore } from '../authn/store.fixture.ts';
import { answerScim } from './endpoint.ts';

const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

/** Declares the test. */
export function largeGroupCase(most: number): void {
  let test: TestStore;
  let users: string[];

  beforeAll(async () => {
    test = await openTestStore();
    users = await test.store.scim.change('corp', async (changes) => {
      const made: string[] = [];
      for (let index = 0; index < most; index++) {
        made.push((await changes.createUser({ userName: `user-${index}`, externalId: null, active: true, attributes: {} })) ?? '');
      }
      return made;
    });
  }, 60_000);
  afterAll(() => test.close());

  const ask = (method: string, path: string, body?: unknown) =>
    answerScim(
      { store: test.store.scim, base: '' },
      { idp: 'corp', method, path, query: new URLSearchParams(), body: Buffer.from(body === undefined ? '' : JSON.stringify(body)) },
    );

  it('gives other work its turns, and is whole afterwards', async () => {
    const members = users.map((value) => ({ value }));
    let id = '';
    const turns = await turnsDuring(async () => {
      id = String((await ask('POST', 'Groups', { schemas: [GROUP], displayName: 'everyone', members })).body?.['id']);
    });
    expect(turns).toBeGreaterThan(most / 1000);
    const operations = [
      { op: 'remove', path: `members[value eq "${users[7]}"]` },
      { op: 'Remove', path: 'members', value: members.slice(0, 5) },
      { op: 'add', path: 'members', value: members.slice(0, 1) },
    ];
    expect(await ask('PATCH', `Groups/${id}`, { schemas: [PATCH], Operations: operations })).toMatchObject({ status: 204 });
    expect((await ask('GET', `Groups/${id}`)).body?.['members']).toHaveLength(most - 5);
  });

  it('applies nothing of a request whose last member is unknown', async () => {
    const members = [...users, 'no-such-user'].map((value) => ({ value }));
    expect(await ask('POST', 'Groups', { schemas: [GROUP], displayName: 'odd', members })).toMatchObject({ status: 400 });
    const { body } = await ask('POST', 'Groups', { schemas: [GROUP], displayName: 'few', members: users.slice(0, 2).map((value) => ({ value })) });
    const operations = [
      { op: 'replace', path: 'displayName', value: 'odd' },
      { op: 'replace', path: 'members', value: members },
    ];
    expect(await ask('PATCH', `Groups/${body?.['id']}`, { schemas: [PATCH], Operations: operations })).toMatchObject({ status: 400 });
    expect((await ask('GET', `Groups/${body?.['id']}`)).body).toMatchObject({ displayName: 'few', members: [{}, {}] });
    expect((await ask('GET', 'Groups')).body).toMatchObject({ totalResults: 2 });
  });
}

/** The turns that other work had meanwhile. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let done = false;
  const count = (): void => {
    turns += 1;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await work();
  done = true;
  return turns;
}
