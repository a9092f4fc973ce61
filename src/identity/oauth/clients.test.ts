// Which OAuth client a person may log in with.
import { expect, it } from 'vitest';
import { anAgent } from '../authn/agent/agent.fixture.ts';
import { createClients } from './clients.ts';

it('a client that is an agent takes logins of its sponsor, and of nobody else', async () => {
  const entry = (id: string) => ({ id, name: id, redirectUris: ['http://127.0.0.1/callback'] });
  const agents = [anAgent({ credential: { kind: 'client', id: 'desktop' } })];
  const config = { oauthClients: [entry('desktop'), entry('inspector')], oauthClientHosts: [], agents };
  const { find } = createClients({ config, network: {} as never, steady: () => 0 });
  expect(await find('desktop', 'alice@local')).toMatchObject({ ok: true, client: { id: 'desktop' } });
  expect(await find('desktop', 'bob@local')).toEqual({ ok: false, reason: 'agent-not-sponsor' });
  expect(await find('inspector', 'bob@local')).toMatchObject({ ok: true });
});
