// What the sidecar's two ways, requests and sockets, share.
import type { GatewayAddress } from './gateway-url.ts';
import type { Guard } from './guard.ts';
import type { Keeper } from './keeper.ts';
import type { Transport } from './transport.ts';
import type { Trouble } from './trouble.ts';

export interface SidecarParts {
  readonly gateway: GatewayAddress;
  readonly keeper: Pick<Keeper, 'current' | 'replace'>;
  readonly transport: Transport;
  readonly guard: Guard;
  readonly trouble: Trouble;
  /** A link to the gateway becomes one to the sidecar. */
  readonly moveLink: (link: string) => string;
}
