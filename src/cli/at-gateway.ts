// Shared by login, logout and whoami: the gateway, the stored login, and texts for failures.
import { systemClock } from '../contract/clock.ts';
import type { CliContext, GlobalOptions } from './context.ts';
import { CommandFailed } from './errors.ts';
import { chooseGateway, type Naming, openTransport } from './gateway-address.ts';
import type { CredentialSource } from './sidecar/credential.ts';
import { SourceError } from './sidecar/credential.ts';
import { type Authorization, createAuthorization } from './sidecar/login/authorization.ts';
import { type Credentials, openCredentials } from './sidecar/login/credentials.ts';
import { addressOf, personLogin } from './sidecar/sources/login.ts';

export interface AtGateway {
  /** Scheme, host, port and path. */
  readonly address: string;
  readonly authorization: Authorization;
  readonly credentials: Credentials;
  readonly source: CredentialSource;
}

/** The timeout of one request. */
const ATTEMPT_MS = 15_000;

export function timeLimit(): AbortSignal {
  return AbortSignal.timeout(ATTEMPT_MS);
}

/** The error of a command without an address and without a stored login. */
export const NOBODY = 'Not logged in. Run: lictor login https://prefect.example.com';

type Named = Pick<Naming, 'url' | 'unnamed'>;

export async function atGateway<T>(context: CliContext, global: GlobalOptions, named: Named, work: (at: AtGateway) => Promise<T>): Promise<T> {
  const credentials = openCredentials(context.env);
  try {
    const gateway = chooseGateway(context, global, { name: 'URL', ...named, remembered: credentials.read().current });
    const transport = openTransport(context);
    const authorization = createAuthorization(gateway, transport, systemClock);
    try {
      const source = personLogin({ gateway, credentials, authorization, clock: systemClock });
      return await work({ address: addressOf(gateway), authorization, credentials, source });
    } finally {
      transport.close();
    }
  } catch (error) {
    throw error instanceof SourceError ? new CommandFailed(error.message, error) : error;
  }
}
