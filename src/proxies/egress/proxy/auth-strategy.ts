// A credential that depends on the call, so that nginx cannot add it: it changes the call, and sometimes the answer.
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
  /** Null: it was not read, and is streamed. */
  readonly body: Buffer | null;
}

/** The changed call, or the reason for none. */
export type AuthenticatedCall =
  | { readonly ok: true; readonly target: string; readonly headers: OutgoingHttpHeaders }
  | { readonly ok: false; readonly reason: ReasonCode };

export interface AuthStrategy {
  /** It needs the whole body first. */
  readonly readsBody: boolean;
  /** `headers` has the server's `host`. Never rejects. */
  authenticateCall(call: OutgoingCall): Promise<AuthenticatedCall>;
  /** Null: the answer is forwarded unchanged. */
  readonly clean: Cleaning | null;
}

/** Removes the credential from an answer, for services that repeat the call in it. */
export interface Cleaning {
  headers(headers: IncomingHttpHeaders): OutgoingHttpHeaders;
  /** Transforms for the body. Undefined: it cannot be parsed, so it must not be forwarded. */
  body(encoding: string | undefined): readonly Transform[] | undefined;
}

/** Undefined: nginx adds the credential, or there is none. */
export function authStrategyOf({ injected }: Pick<Service, 'injected'>, signer: (sigv4: ServiceSigv4) => Signer): AuthStrategy | undefined {
  if (injected === null) return undefined;
  if ('query' in injected) return queryKeyStrategy(injected.query);
  return 'sigv4' in injected ? signingStrategy(signer(injected.sigv4)) : undefined;
}
