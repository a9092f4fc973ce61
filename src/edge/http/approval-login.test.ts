// A decision on an approval needs a person who has proven the identity within five minutes. A new session alone proves nothing.
import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { expect, it } from 'vitest';
import { anApproval } from '../../store/approval.fixture.ts';
import { sessionOfAnswer, useOidcApp } from './oidc.fixture.ts';
import { HTML } from './own-app.fixture.ts';

const { get, idp, ask, post, go, finish, signIn } = useOidcApp();
const PAGE = '/.lictor/approvals/approval-1';

/** The provider states this time of login from now on, or none. */
const state = (secondsAgo: number | undefined): void =>
  void idp().bends.set('/token', async (answer) => {
    const { auth_time: _stated, ...claims } = decodeJwt(String(answer['id_token']));
    const auth_time = secondsAgo === undefined ? undefined : Math.floor(get().test.clock() / 1000) - secondsAgo;
    return { ...answer, id_token: await idp().sign({ ...claims, ...(auth_time !== undefined && { auth_time }) }) };
  });

const silent = async (): Promise<string> => sessionOfAnswer(await signIn());

async function fresh(): Promise<string> {
  const sent = await go('/.lictor/login?idp=corp&again=1');
  return sessionOfAnswer(await finish(await idp().browse(sent.location, 'sub-alice'), { browser: sent.browser }));
}

/** Status and state after a decision with the proof of this session. */
async function decide(session: string): Promise<readonly [number, string | undefined]> {
  const sessionId = createHash('sha256').update(session).digest('hex');
  const proof = get().test.sealer.seal('approval-1', `decision on an approval in session ${sessionId}`);
  const { statusCode } = await post(PAGE, { proof, decision: 'approve' }, { session });
  return [statusCode, (await get().test.store.approvals.byId('approval-1'))?.state];
}

const held = async (): Promise<void> => void (await get().test.store.approvals.holdingOr(anApproval({ sponsor: 'alice@corp', onBehalfOf: ['alice@corp'] })));

it.each([
  ['a provider that states no time', undefined],
  ['a login at the provider an hour ago', 3600],
  ['a time in the far future', -3600],
])('refuses a new session by single sign-on: %s', async (_what, secondsAgo) => {
  await held();
  state(secondsAgo);
  const session = await silent();
  expect((await ask(PAGE, { session, headers: HTML })).body).toContain(`${PAGE}/login`);
  expect(await decide(session)).toEqual([403, 'pending']);
});

it('accepts a new session whose provider states a login a minute ago', async () => {
  await held();
  state(60);
  expect(await decide(await silent())).toEqual([200, 'approved']);
});

it('accepts a session after a fresh login, though the provider states no time, and no longer than five minutes', async () => {
  await held();
  state(undefined);
  const session = await fresh();
  get().test.advance(5 * 60_000 + 1000);
  expect(await decide(session)).toEqual([403, 'pending']);
  expect(await decide(await fresh())).toEqual([200, 'approved']);
});
