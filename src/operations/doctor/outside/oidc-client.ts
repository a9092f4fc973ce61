// Whether an OpenID Provider accepts the client and its callback: by a login that cannot succeed.
import { randomBytes } from 'node:crypto';
import type { OidcProvider } from '../../../config/config.ts';
import { steadyClock, systemClock } from '../../../contract/clock.ts';
import { createTestLogin, type TestLogin } from '../../../identity/authn/oidc/test-login.ts';
import type { Outbound } from '../../../identity/authn/outbound.ts';

/** For logins of which nothing is stored. */
export function openTestLogin(config: OidcProvider, outbound: Pick<Outbound, 'fetch'>): TestLogin {
  return createTestLogin({ config, outbound, clock: systemClock, steady: steadyClock });
}

export interface TriedClient {
  /** Why no login can begin. Null: one can. */
  readonly notBegun: string | null;
  /** Why the provider rejects the client. Null: it knows the client. */
  readonly rejected: string | null;
  /** The status with which the provider rejects the callback. Null: it accepts the callback, or does not say. */
  readonly callbackStatus: number | null;
}

/** Sends a made-up code: the provider rejects it, and with it a client that it does not know. */
export async function tryClient(config: OidcProvider, outbound: Pick<Outbound, 'fetch'>, callbackUrl: string): Promise<TriedClient> {
  const provider = openTestLogin(config, outbound);
  const state = randomBytes(16).toString('base64url');
  const begun = await provider.begin({ state, callbackUrl, asOtherPrincipal: false });
  if (!begun.ok) return { notBegun: begun.detail, rejected: null, callbackStatus: null };
  const params = new URLSearchParams({ code: 'lictor-test', state, iss: config.issuer });
  const answer = await provider.finish({ params, state, callbackUrl, secret: begun.secret });
  if (!answer.ok && answer.reason === 'idp-misconfigured') return { notBegun: null, rejected: answer.detail, callbackStatus: null };
  const page = await outbound.fetch(begun.location).catch(() => undefined);
  return { notBegun: null, rejected: null, callbackStatus: page === undefined || page.status < 400 ? null : page.status };
}
