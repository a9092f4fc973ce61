// Name and password -> a session, throttled for each account and address. Timing and answers do not reveal which names exist.
import { createHash } from 'node:crypto';
import type { Config } from '../../../config/config.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import { guesserKey, siteKey } from '../../../contract/network.ts';
import type { Principal } from '../../../contract/principal.ts';
import type { Accounts, StoredAccount } from '../../../store/accounts.ts';
import type { Locks } from '../../../store/locks.ts';
import { type BoundedCounter, createBoundedCounter } from '../bounded-counter.ts';
import { lockOnPrincipal } from '../locks.ts';
import type { RoleBook } from '../roles.ts';
import type { Sessions, StartedSession } from '../session/session.ts';
import type { Devices } from './devices.ts';
import type { Passwords } from './password.ts';
import { idpOfAccount, userPrincipal } from './principal.ts';

/**
 * Failed logins within a minute of the first. A known device has a separate count, so that strangers cannot lock out the owner of an account.
 * An IPv6 address counts as its /64, a site as its /48.
 */
export const LOGIN_LIMITS = {
  ...{ perAccountAndAddress: 5, perAccountAndSite: 20, perAccount: 50, perAddress: 20, perSite: 80, perDevice: 5 },
  windowMs: 60_000,
  keys: 10_000,
} as const;

/** When too many passwords wait for their hash. */
const BUSY_RETRY_SECONDS = 2;

export interface LoginRequest {
  readonly name: string;
  readonly password: string;
  readonly address: string;
  /** Value of the session cookie of the request, or empty. That session ends when this login succeeds. */
  readonly oldCookieValue: string;
  /** Value of the device cookie of the request, or empty. */
  readonly device: string;
}

export type LoginResult =
  /** `endedOld`: the former session has ended, so cached decisions about it must be invalidated. `device`: the new cookie of this device. */
  | { readonly ok: true; readonly principal: Principal; readonly session: StartedSession; readonly endedOld: boolean; readonly device: string }
  /** `principalId` only for a name that exists: the client may have typed a password as the name. */
  | { readonly ok: false; readonly reason: 'login-failed'; readonly principalId: string | null }
  /** No password was checked, so it names no principal: floods.ts bounds only records without a principal (src/record/ledger/floods.ts). */
  | { readonly ok: false; readonly reason: 'login-throttled'; readonly principalId: null; readonly retryAfterSeconds: number }
  /** Name and password are right, but the account has no rights, is locked, or waits for a confirmation: no session. */
  | { readonly ok: false; readonly reason: 'policy-default-deny' | 'locked' | 'credential-unconfirmed'; readonly principalId: string };

export type Login = (request: LoginRequest) => Promise<LoginResult>;

export interface LoginParts {
  readonly accounts: Pick<Accounts, 'byName'>;
  readonly locks: Pick<Locks, 'list'>;
  readonly sessions: Sessions;
  readonly passwords: Passwords;
  readonly devices: Devices;
  readonly config: Pick<Config, 'identityProviders'>;
  readonly roleBook: RoleBook;
  readonly steady: SteadyClock;
}

export function createLogin(parts: LoginParts): Login {
  const throttle = createThrottle(parts.steady);
  return async (request) => {
    const claimed = await lookUp(parts, request.name);
    const principalId = claimed?.principal.id ?? null;
    const device = claimed === undefined ? undefined : parts.devices.recognise(request.device, claimed.account);
    const attempt = throttle.begin(request, device);
    if (attempt.waitMs > 0) return throttled(attempt.waitMs);
    const place = { from: siteKey(request.address), isKnown: device !== undefined };
    const check = await parts.passwords.check(request.password, claimed?.account.password ?? null, place);
    if (check === 'busy') {
      attempt.withdraw();
      return throttled(BUSY_RETRY_SECONDS * 1000);
    }
    if (check === 'wrong' || claimed === undefined) return { ok: false, reason: 'login-failed', principalId };
    attempt.succeeded();
    const reason = await obstacleFor(claimed, parts);
    if (reason !== undefined) return { ok: false, reason, principalId: claimed.principal.id };
    return await startSession(parts, claimed, request.oldCookieValue);
  };
}

interface Claimed {
  readonly account: StoredAccount;
  readonly principal: Principal;
}

/** Name and password are right. */
async function obstacleFor({ account, principal }: Claimed, parts: LoginParts) {
  if ((await lockOnPrincipal(parts, principal)) !== undefined) return 'locked';
  if (account.heldMs !== null) return 'credential-unconfirmed';
  return principal.roles.length === 0 ? 'policy-default-deny' : undefined;
}

async function lookUp({ accounts, config, roleBook }: LoginParts, name: string): Promise<Claimed | undefined> {
  const account = await accounts.byName(name);
  const idp = account === undefined ? null : idpOfAccount(account, config);
  return account === undefined || idp === null ? undefined : { account, principal: userPrincipal(account, idp, roleBook) };
}

/** Always a new session, and the old one ends: who planted a cookie before the login does not know the new value. */
async function startSession({ sessions, devices }: LoginParts, { account, principal }: Claimed, oldCookieValue: string): Promise<LoginResult> {
  const session = await sessions.start(account);
  if (session === undefined) return { ok: false, reason: 'login-failed', principalId: principal.id };
  const endedOld = await sessions.end(oldCookieValue);
  return { ok: true, principal, session, endedOld, device: devices.remember(account) };
}

function throttled(waitMs: number): LoginResult {
  return { ok: false, reason: 'login-throttled', principalId: null, retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
}

interface Attempt {
  /** Above 0: too many failures, try again after this time. */
  readonly waitMs: number;
  /** The attempt does not count after all. */
  withdraw(): void;
  succeeded(): void;
}

interface Count {
  readonly counter: BoundedCounter;
  readonly key: string;
  readonly most: number;
}

/** An attempt counts from its beginning, so that many simultaneous attempts cannot pass the limit. */
function createThrottle(steady: Clock) {
  const open = () => createBoundedCounter(steady, LOGIN_LIMITS);
  const by = { pair: open(), pairOfSite: open(), account: open(), address: open(), site: open(), device: open() };
  const ofStranger = ({ name, address }: LoginRequest): readonly Count[] => {
    const [account, guesser, site] = [nameKey(name), guesserKey(address), siteKey(address)];
    return [
      { counter: by.pair, key: `${account} ${guesser}`, most: LOGIN_LIMITS.perAccountAndAddress },
      { counter: by.pairOfSite, key: `${account} ${site}`, most: LOGIN_LIMITS.perAccountAndSite },
      { counter: by.account, key: account, most: LOGIN_LIMITS.perAccount },
      { counter: by.address, key: guesser, most: LOGIN_LIMITS.perAddress },
      { counter: by.site, key: site, most: LOGIN_LIMITS.perSite },
    ];
  };
  return {
    begin(request: LoginRequest, device: string | undefined): Attempt {
      const counts = device === undefined ? ofStranger(request) : [{ counter: by.device, key: device, most: LOGIN_LIMITS.perDevice }];
      const waitMs = Math.max(...counts.map(waitOf));
      if (waitMs > 0) return { waitMs, withdraw: () => {}, succeeded: () => {} };
      for (const { counter, key } of counts) counter.add(key);
      const withdraw = (): void => {
        for (const { counter, key } of counts) counter.undo(key);
      };
      return {
        waitMs: 0,
        withdraw,
        succeeded() {
          withdraw();
          // Failures of others elsewhere still count.
          const [own] = counts;
          own?.counter.clear(own.key);
        },
      };
    },
  };
}

function waitOf({ counter, key, most }: Count): number {
  return counter.count(key) >= most ? counter.leftMs(key) : 0;
}

/** Of the same size for every typed name. */
function nameKey(name: string): string {
  return createHash('sha256').update(name).digest('base64');
}
