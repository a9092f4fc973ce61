// Limits per minute: the steady clock measures the minute, whatever the wall clock does meanwhile.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLogin, LOGIN_LIMITS, type LoginParts } from '../authn/accounts/login.ts';
import { createAuthenticator } from '../authn/authenticator.ts';
import { FAILURE_LIMITS } from '../authn/failures.ts';
import { anEdgeInput } from '../authn/inputs.fixture.ts';
import { openTestStore, type TestStore } from '../authn/store.fixture.ts';
import { createDeviceApproval, type DeviceApprovalParts, USER_CODE_LIMITS } from './device-approval.ts';
import { createDeviceAuthorization, DEVICE_BEGIN_LIMITS, type DeviceAuthorizationParts } from './device-authorization.ts';
import { createTokenEndpoint, TOKEN_LIMITS } from './token-endpoint.ts';

const HOUR_MS = 3_600_000;
const ADDRESS = '192.0.2.1';
const REQUEST = {
  contentType: 'application/x-www-form-urlencoded',
  body: Buffer.from('grant_type=x'),
  address: ADDRESS,
  requestId: 'r',
  userAgent: '',
  path: '/',
};

let home: TestStore;
beforeEach(async () => {
  home = await openTestStore();
});
afterEach(() => home.close());

/** Each does once what is bounded; true: it was too often. */
const DOERS: Readonly<Record<string, readonly [most: number, make: () => () => Promise<boolean>]>> = {
  'logins by a password': [
    LOGIN_LIMITS.perAccountAndAddress,
    () => {
      const parts = { accounts: home.store.accounts, passwords: { check: async () => 'wrong' }, config: { identityProviders: [] }, steady: home.steady };
      const login = createLogin(parts as unknown as LoginParts);
      return async () => {
        const result = await login({ name: 'alice', password: 'x', address: ADDRESS, oldCookieValue: '', device: '' });
        return !result.ok && result.reason === 'login-throttled';
      };
    },
  ],
  'failed credentials': [
    FAILURE_LIMITS.perMinute,
    () => {
      const config = { identityProviders: [], roles: [], agents: [], sessions: { idleSeconds: 1, absoluteSeconds: 1 } };
      const authenticator = createAuthenticator({ store: home.store, config, clock: home.clock, steady: home.steady });
      return async () => {
        const answer = await authenticator.authenticate(anEdgeInput({ authorization: 'Bearer nonsense', address: ADDRESS }));
        return !answer.ok && answer.reason === 'too-many-failures';
      };
    },
  ],
  'refused requests for tokens': [
    TOKEN_LIMITS.refused,
    () => {
      const { clock, steady } = home;
      const endpoint = createTokenEndpoint({
        grants: new Map(),
        record: async () => undefined,
        failClosed: true,
        clock,
        steady,
        revision: 1,
        onError: () => undefined,
      });
      return async () => (await endpoint(REQUEST)).status === 429;
    },
  ],
  'logins of devices that are begun': [
    DEVICE_BEGIN_LIMITS.perMinute,
    () => {
      const parts = { deviceCodes: { create: async () => undefined }, clients: [], publicUrl: {}, steady: home.steady };
      const begin = createDeviceAuthorization(parts as unknown as DeviceAuthorizationParts);
      return async () => JSON.stringify((await begin(REQUEST)).body).includes('rate-limited');
    },
  ],
  'guessed codes of devices': [
    USER_CODE_LIMITS.wrong,
    () => {
      const { find } = createDeviceApproval({ store: home.store, clients: [], clock: home.clock, steady: home.steady } as unknown as DeviceApprovalParts);
      return async () => {
        const found = await find('BCDF-GHJK', { principalId: 'alice@local', address: ADDRESS });
        return 'refuse' in found && found.refuse === 'device-throttled';
      };
    },
  ],
};

describe.each(Object.entries(DOERS))('%s', (_what, [most, make]) => {
  it('above the limit are accepted again after their minute, also if the clock was put back', async () => {
    const isTooOften = make();
    for (let times = 0; times < most; times += 1) expect(await isTooOften()).toBe(false);
    expect(await isTooOften()).toBe(true);
    home.putClock(-HOUR_MS);
    home.advance(60_000);
    expect(await isTooOften()).toBe(false);
  });

  it('above the limit are rejected for their minute, also if the clock leaps ahead', async () => {
    const isTooOften = make();
    for (let times = 0; times < most; times += 1) await isTooOften();
    home.putClock(HOUR_MS);
    home.advance(59_000);
    expect(await isTooOften()).toBe(true);
  });
});
