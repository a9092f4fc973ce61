// The person's own login (`lictor login`): its access token, refreshed by one process of the user at a time.
import type { Clock } from '../../../contract/clock.ts';
import { type CredentialSource, type Obtained, SourceError } from '../credential.ts';
import type { GatewayAddress } from '../gateway-url.ts';
import type { Authorization } from '../login/authorization.ts';
import type { Credentials, StoredLogin } from '../login/credentials.ts';

export interface LoginSourceParts {
  readonly gateway: GatewayAddress;
  readonly credentials: Credentials;
  readonly authorization: Pick<Authorization, 'refresh'>;
  readonly clock: Clock;
}

/** A token with less left is refreshed before use. */
const LEAST_LEFT_MS = 60_000;
/** The gateway has ended the login for good: the stored tokens are of no use. */
const ENDED: ReadonlySet<string> = new Set(['login-ended', 'refresh-unknown', 'refresh-replayed']);

export function personLogin(parts: LoginSourceParts): CredentialSource {
  const address = addressOf(parts.gateway);
  let given: string | undefined;
  return {
    name: `Your login at ${address}`,
    async obtain(signal) {
      const obtained = await parts.credentials.change((stored, write) => {
        const login = stored.logins[address];
        if (login === undefined) throw new SourceError(`You are not logged in at ${address}: lictor login ${address}`, { final: true });
        // Another process has refreshed it meanwhile. The token given before was rejected, or is old.
        if (login.accessToken !== given && login.expiresAtMs - parts.clock() > LEAST_LEFT_MS) return Promise.resolve(toObtained(login));
        return refresh(parts, {
          login,
          signal,
          write: (next) => write({ ...stored, logins: { ...without(stored.logins, address), ...(next && { [address]: next }) } }),
        });
      });
      given = obtained.secret;
      return obtained;
    },
  };
}

export function addressOf({ origin, basePath }: GatewayAddress): string {
  return `${origin}${basePath}`;
}

export function without(logins: Readonly<Record<string, StoredLogin>>, address: string): Readonly<Record<string, StoredLogin>> {
  return Object.fromEntries(Object.entries(logins).filter(([key]) => key !== address));
}

interface Refreshing {
  readonly login: StoredLogin;
  readonly signal: AbortSignal;
  readonly write: (next: StoredLogin | undefined) => void;
}

/** The new refresh token is stored before anything else: the former one no longer works. */
async function refresh({ gateway, authorization }: LoginSourceParts, { login, signal, write }: Refreshing): Promise<Obtained> {
  const answer = await authorization.refresh(login.refreshToken, signal);
  if (!('refused' in answer)) {
    const next = { ...login, ...answer };
    write(next);
    return toObtained(next);
  }
  if (ENDED.has(answer.refused)) write(undefined);
  throw new SourceError(`Your login at ${addressOf(gateway)} is not renewed (${answer.refused}): ${answer.words}`, { final: true });
}

function toObtained({ accessToken, expiresAtMs }: StoredLogin): Obtained {
  return { secret: accessToken, expiresAtMs, lookAgainMs: null };
}
