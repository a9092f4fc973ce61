// The gateway's address: the only target of the sidecar.
import { isLoopback, parsePlainUrl } from '../../config/sections/public-url.ts';

export interface GatewayAddress {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly hostname: string;
  /** `''` or `/prefect`. */
  readonly basePath: string;
}

export type GatewayUrl = { readonly ok: true; readonly address: GatewayAddress } | { readonly ok: false; readonly problem: string };

/** With or without `/api` at its end. A credential never crosses the network in plain text. */
export function parseGatewayUrl(text: string): GatewayUrl {
  const parts = parsePlainUrl(text);
  if (parts === undefined) return { ok: false, problem: 'must be the address of the gateway and nothing else: https://prefect.example.com' };
  if (!parts.secure && !isLoopback(parts.hostname)) {
    return { ok: false, problem: 'is plain http, which would show the credential to the network: write https://' };
  }
  const basePath = parts.path.replace(/\/api$/, '');
  return { ok: true, address: { origin: parts.origin, hostname: parts.hostname, basePath } };
}
