// The services that requests and sockets of the sidecar share.

import type { CredentialRefresher } from './credential-refresher.ts';
import type { GatewayAddress } from './gateway-url.ts';
import type { Guard } from './guard.ts';
import type { Transport } from './transport.ts';
import type { Trouble } from './trouble.ts';

export interface SidecarParts {
  readonly gateway: GatewayAddress;
  readonly refresher: Pick<CredentialRefresher, 'current' | 'replace'>;
  readonly transport: Transport;
  readonly guard: Guard;
  readonly trouble: Trouble;
  /** Rewrites a link to the gateway into one to the sidecar. */
  readonly moveLink: (link: string) => string;
}
