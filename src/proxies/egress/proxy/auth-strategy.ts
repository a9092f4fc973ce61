// A credential that depends on the call, so that nginx cannot add it: what goes to the server instead of the call, and what becomes of the answer.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Transform } from 'node:stream';
import type { Service, ServiceSigv4 } from '../../../config/service.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { queryKeyStrategy } from './query-key.ts';
import { type Signer, signingStrategy } from './sigv4.ts';

export interface OutgoingCall {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
  /** Null: it was not read, and streams. */
  readonly body: Buffer | null;
}

/** What goes to the server in place of the call; or why nothing does. */
export type AuthenticatedCall =
  | { readonly ok: true; readonly target: string; readonly headers: OutgoingHttpHeaders }
  | { readonly ok: false; readonly reason: ReasonCode };

export interface AuthStrategy {
  /** The whole body must be there before. */
  readonly readsBody: boolean;
  /** `headers` has the server's `host`. Never rejects. */
  authenticateCall(call: OutgoingCall): Promise<AuthenticatedCall>;
  /** Null: the answer passes as it comes. */
  readonly clean: Cleaning | null;
}

/** Takes the credential out of an answer, for services that repeat what they were called with. */
export interface Cleaning {
  headers(headers: IncomingHttpHeaders): OutgoingHttpHeaders;
  /** What the body goes through. Undefined: it cannot be read, so it must not pass. */
  body(encoding: string | undefined): readonly Transform[] | undefined;
}

/** Undefined: nginx adds the credential, or there is none. */
export function authStrategyOf({ injected }: Pick<Service, 'injected'>, signer: (sigv4: ServiceSigv4) => Signer): AuthStrategy | undefined {
  if (injected === null) return undefined;
  if ('query' in injected) return queryKeyStrategy(injected.query);
  return 'sigv4' in injected ? signingStrategy(signer(injected.sigv4)) : undefined;
}
