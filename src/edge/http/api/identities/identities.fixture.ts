// For the tests of these routes: signed-in people, and requests as their console sends them.
import { beforeEach } from 'vitest';
import { INPUT } from '../../../../contract/names.ts';
import type { OpenSocket } from '../../../../contract/open-socket.ts';
import { cookieOf, useOwnApp } from '../../own-app.fixture.ts';

export const BASE = '/.lictor/api/v1';

export interface Person {
  readonly session: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** alice is admin, carol auditor, vera viewer. */
export function usePeople() {
  const own = useOwnApp();
  const { get, ask, logIn } = own;
  const world: { alice: Person } = { alice: { session: '', headers: {} } };

  const ofSession = async (session: string): Promise<Person> => {
    const { csrf_token: proof } = (await ask(`${BASE}/me`, { session })).json();
    return { session, headers: { 'content-type': 'application/json', 'x-csrf-token': String(proof) } };
  };
  const person = async (username: string) => ofSession(cookieOf(await logIn({ username })));

  beforeEach(async () => {
    const others = [
      ['2', 'carol', 'auditor'],
      ['3', 'vera', 'viewer'],
    ] as const;
    for (const [id, name, role] of others) await get().test.store.accounts.create({ id, name, roles: [role], password: get().phc });
    world.alice = await person('alice');
  });

  return {
    ...own,
    ofSession,
    person,
    alice: () => world.alice,
    read: async (path: string, who: Person = world.alice) => (await ask(`${BASE}${path}`, { session: who.session })).json(),
    async write(method: 'POST' | 'DELETE', path: string, body?: object, who: Person = world.alice) {
      const answer = await ask(`${BASE}${path}`, { method, ...who, sameOrigin: true, ...(body !== undefined && { body: JSON.stringify(body) }) });
      return { status: answer.statusCode, ...answer.json() };
    },
    recorded: (action: string) => get().records.filter((record) => record.action === action),
    works: async (token: string) => (await ask(`${BASE}/me`, { headers: { [INPUT.authorization]: `Bearer ${token}` } })).statusCode === 200,
  };
}

export function aSocket(id: string, principal = 'token:etl'): OpenSocket {
  const who = { principal, onBehalfOf: [], credentialId: 'c', sessionId: null, address: '192.0.2.9', userAgent: null };
  return { id, kind: 'prefect', target: '/api/events/out', ...who, sinceMs: 0, worker: null };
}
