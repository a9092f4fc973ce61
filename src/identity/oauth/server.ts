// The authorization server: the token endpoint with its grants, and the logins of clients from their begin to their end.

import type { Config } from '../../config/config.ts';
import type { Sealer } from '../../config/keys/sealer.ts';
import type { SigningKeys } from '../../config/keys/signing-keys.ts';
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { Store } from '../../store/store.ts';
import type { GrantStanding } from '../authn/grant/standing.ts';
import { asksOutside } from '../authn/subject-tokens.ts';
import { GRANT_TYPE } from './chain-exchange.ts';
import { type Clients, DEVICE_CLIENTS } from './clients.ts';
import { type CodeApproval, createCodeApproval } from './code-approval.ts';
import { createCodeGrant } from './code-grant.ts';
import { createDeviceApproval, type DeviceApproval } from './device-approval.ts';
import { createDeviceAuthorization } from './device-authorization.ts';
import { createDeviceGrant, DEVICE_GRANT_TYPE } from './device-grant.ts';
import type { Form } from './form.ts';
import { createIdTokens } from './id-token.ts';
import type { Grant } from './issued.ts';
import { issuerOf } from './metadata.ts';
import { createNewGrants, type NewGrantParts, type NewGrants } from './new-grant.ts';
import { createRefreshGrant } from './refresh-grant.ts';
import { createRevocation } from './revocation.ts';
import { createTokenEndpoint, type TokenEndpoint } from './token-endpoint.ts';

export interface AuthorizationServer {
  readonly token: TokenEndpoint;
  readonly deviceAuthorization: TokenEndpoint;
  readonly revoke: TokenEndpoint;
  readonly approval: DeviceApproval;
  readonly codeApproval: CodeApproval;
  readonly newGrants: Pick<NewGrants, 'prepare' | 'latestEndMs'>;
  readonly signingKeys: Pick<SigningKeys, 'published'>;
}

export interface AuthorizationServerParts {
  readonly store: Pick<Store, 'clientGrants' | 'deviceCodes' | 'authorizationCodes' | 'accessTokens' | 'idpTokens' | 'locks'>;
  readonly config: Pick<Config, 'publicUrl' | 'identityProviders'>;
  readonly clients: Clients;
  /** The longest life of a login of a client. */
  readonly loginLifeMs: number;
  readonly sessionLimits: NewGrantParts['sessionLimits'];
  readonly standing: GrantStanding;
  /** Exchanges the proofs of other issuers for a token of Lictor. */
  readonly exchange: Grant;
  readonly signingKeys: SigningKeys;
  readonly sealer: Sealer;
  readonly record: (record: NewRecord) => Promise<void>;
  readonly failClosed: boolean;
  /** Something has ended. Resolves when that has effect everywhere. */
  readonly onEnded: () => Promise<void>;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly revision: number;
}

/** One of the two proofs is for another service to verify. */
export function asksOutsideFor(form: Form): boolean {
  return asksOutside(form.get('subject_token_type')) || asksOutside(form.get('actor_token_type'));
}

export function createAuthorizationServer(parts: AuthorizationServerParts): AuthorizationServer {
  const { store, sealer, clock, steady, config } = parts;
  const { publicUrl } = config;
  const newGrants = createNewGrants({ store, sealer, lifeMs: parts.loginLifeMs, sessionLimits: parts.sessionLimits, clock });
  const common = { ...parts, ...store, publicUrl, grants: store.clientGrants, newGrants };
  const device = { ...common, clients: DEVICE_CLIENTS };
  const signIdToken = createIdTokens(parts.signingKeys, issuerOf(publicUrl), clock);
  return {
    token: createTokenEndpoint({
      ...parts,
      grants: new Map([
        [GRANT_TYPE, { action: 'token.exchange', grant: parts.exchange, asksOutside: asksOutsideFor }],
        [DEVICE_GRANT_TYPE, { action: 'token.device', grant: createDeviceGrant({ ...device, signIdToken }) }],
        ['authorization_code', { action: 'token.code', grant: createCodeGrant({ ...common, signIdToken }) }],
        ['refresh_token', { action: 'token.refresh', grant: createRefreshGrant(common) }],
      ]),
    }),
    deviceAuthorization: createDeviceAuthorization(device),
    revoke: createRevocation(common),
    approval: createDeviceApproval({ store, newGrants, sealer, clients: DEVICE_CLIENTS, clock, steady }),
    codeApproval: createCodeApproval(common),
    newGrants,
    signingKeys: parts.signingKeys,
  };
}
