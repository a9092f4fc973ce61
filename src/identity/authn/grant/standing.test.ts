// A login of the command line that stands on a browser session ends with it, whatever its provider is.
import { describe, expect, it } from 'vitest';
import type { OidcProvider } from '../../../config/config.ts';
import type { ClientGrant } from '../../../store/client-grants.ts';
import type { SessionOwner } from '../../../store/owners.ts';
import type { StoredSession } from '../../../store/sessions.ts';
import { wordOf } from '../access-token/trust.ts';
import { anAgent } from '../agent/agent.fixture.ts';
import { createAgentCredentials } from '../agent/credentials.ts';
import { createRoleBook } from '../roles.ts';
import { createGrantStanding, type StandingParts } from './standing.ts';

const IDP: OidcProvider = {
  ...{ id: 'local', type: 'oidc', issuer: 'https://idp.example', clientId: 'lictor', clientSecret: null, scopes: [], groupsClaim: 'groups', caFile: null },
};
const owner: SessionOwner = {
  kind: 'identity',
  word: wordOf(IDP),
  identityId: 'i1',
  identity: { idp: 'local', subject: 's1', name: 'alice', kind: 'user', groups: [], claims: {} },
};

/** SAML gives no moment to ask again: `refreshAfterMs` is null in the session and in the grant. */
function grantOn(refreshAfterMs: number | null): ClientGrant {
  const lasting = { id: 'g1', clientId: 'lictor-cli', scopes: [], audience: 'api', createdMs: 0, seenMs: 0, expiresMs: 10_000, endedMs: null } as const;
  return { ...lasting, owner, sessionId: 'session', refreshAfterMs };
}

function sessionOf(refreshAfterMs: number | null, times: Partial<StoredSession>): StoredSession {
  return {
    id: 'session',
    owner,
    idpSession: null,
    refreshAfterMs,
    authenticatedMs: null,
    createdMs: 0,
    lastSeenMs: 501,
    lastSeenFrom: null,
    expiresMs: 5000,
    ...times,
  };
}

function partsOf(session: StoredSession | undefined, provider = IDP): StandingParts {
  return {
    sessions: { byId: () => Promise.resolve(session) },
    providers: [provider],
    roleBook: createRoleBook([]),
    agents: createAgentCredentials([]),
    acceptsClient: () => true,
    limits: { idleSeconds: 1, absoluteSeconds: 10 },
    lifeMs: 10_000,
    clock: () => 1500,
    confirm: () => Promise.reject(new Error('the grant has no separate tokens')),
    confirmSession: () => Promise.resolve({ refuse: 'session-unconfirmed' }),
  };
}

const standing = (...of: Parameters<typeof partsOf>) => createGrantStanding(partsOf(...of));

it('with separate tokens ends with the trust in its provider, before another provider of the same id is asked with them', async () => {
  const grant = { ...grantOn(400), sessionId: null };
  expect(await standing(undefined, { ...IDP, issuer: 'https://other.example' })(grant)).toEqual({ ok: false, reason: 'login-ended' });
  await expect(standing(undefined, { ...IDP, clientSecret: 'another' })(grant)).rejects.toThrow('no separate tokens');
});

it('ends by a limit that was shortened since its beginning, also with separate tokens', async () => {
  const grant = { ...grantOn(400), sessionId: null, expiresMs: 100_000 };
  await expect(standing(undefined)({ ...grant, createdMs: -8499 })).rejects.toThrow('no separate tokens');
  expect(await standing(undefined)({ ...grant, createdMs: -8500 })).toEqual({ ok: false, reason: 'login-ended' });
});

it('returns its end: the stored one, or that of a limit that was shortened since', async () => {
  const account: SessionOwner = { kind: 'account', account: { id: 'a1', name: 'alice', roles: ['viewer'], scope: null, expiresMs: null } };
  const confirm: StandingParts['confirm'] = async (session) => ({ session, askAgainMs: 1600 });
  const confirming = createGrantStanding({ ...partsOf(undefined), providers: [{ id: 'local', type: 'accounts' }], confirm });
  const grant: ClientGrant = { ...grantOn(null), owner: account, sessionId: null };
  expect(await confirming({ ...grant, expiresMs: 9000 })).toMatchObject({ ok: true, endsMs: 9000, untilMs: 1600 });
  expect(await confirming({ ...grant, createdMs: -5000, expiresMs: 9000 })).toMatchObject({ ok: true, endsMs: 5000, untilMs: 1600 });
  const on = (times: Partial<StoredSession>) => {
    const parts = {
      ...partsOf(sessionOf(null, { owner: account, expiresMs: 9500, lastSeenMs: 1400, ...times })),
      providers: [{ id: 'local', type: 'accounts' }] as const,
    };
    return createGrantStanding({ ...parts, confirmSession: async (session) => ({ session, askAgainMs: null }) })({ ...grant, sessionId: 'session' });
  };
  expect(await on({})).toMatchObject({ ok: true, endsMs: 9500, untilMs: 2400 });
  expect(await on({ createdMs: -2000 })).toMatchObject({ ok: true, endsMs: 8000, untilMs: 2400 });
});

describe('a client that is an agent', () => {
  const agent = anAgent({ credential: { kind: 'client', id: 'desktop' } });
  const account = (name: string, roles: readonly string[]): SessionOwner => ({
    kind: 'account',
    account: { id: 'a1', name, roles, scope: null, expiresMs: null },
  });
  const ask = (clientId: string, name = 'alice', roles: readonly string[] = ['viewer']) => {
    const confirm: StandingParts['confirm'] = async (session) => ({ session, askAgainMs: null });
    const parts = { ...partsOf(undefined), providers: [{ id: 'local', type: 'accounts' }] as const, agents: createAgentCredentials([agent]), confirm };
    return createGrantStanding(parts)({ ...grantOn(null), clientId, owner: account(name, roles), sessionId: null });
  };

  it('is the agent, within the rights of the sponsor who logged in', async () => {
    const principal = {
      id: 'agent:copilot',
      kind: 'agent',
      roles: ['agent'],
      onBehalfOf: ['alice@local'],
      limitedBy: [{ id: 'alice@local', roles: ['viewer'] }],
    };
    expect(await ask('desktop')).toMatchObject({ ok: true, principal });
  });

  it('is refused for another person, and for a sponsor without a role', async () => {
    expect(await ask('desktop', 'bob')).toEqual({ ok: false, reason: 'agent-not-sponsor' });
    expect(await ask('desktop', 'alice', [])).toEqual({ ok: false, reason: 'agent-sponsor-ended' });
  });

  it('is the person for any other client', async () => {
    expect(await ask('lictor-cli', 'bob')).toMatchObject({ ok: true, principal: { id: 'bob@local' } });
  });
});

describe.each([
  ['asks for it', 400],
  ['is never asked again', null],
] as const)('a login on a session whose provider %s', (_name, refreshAfterMs) => {
  it('ends with that session: at its end, after it was idle, or by a logout', async () => {
    expect(await standing(undefined)(grantOn(refreshAfterMs))).toEqual({ ok: false, reason: 'login-ended' });
  });

  it('is valid while the session is', async () => {
    expect(await standing(sessionOf(refreshAfterMs, {}))(grantOn(refreshAfterMs))).toEqual({ ok: false, reason: 'session-unconfirmed' });
  });

  it.each([
    ['it was idle', { lastSeenMs: 500 }],
    ['its time is over', { expiresMs: 1500 }],
    ['its time is over by a limit that was made shorter', { createdMs: -8500 }],
  ])('ends as soon as %s, before any clean-up', async (_why, times) => {
    expect(await standing(sessionOf(refreshAfterMs, times))(grantOn(refreshAfterMs))).toEqual({ ok: false, reason: 'login-ended' });
  });
});
