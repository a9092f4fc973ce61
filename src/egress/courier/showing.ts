// A credential that depends on the call, so that nginx cannot show it: what becomes of a call, and of its answer.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Transform } from 'node:stream';
import type { Service, ServiceSigv4 } from '../../config/service.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { showInQuery } from './query.ts';
import { type Signer, showBySigning } from './sigv4.ts';

export interface OutgoingCall {
  readonly method: string;
  /** Path and query, byte for byte. */
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
  /** Null: it was not read, and streams. */
  readonly body: Buffer | null;
}

/** What goes to the server in place of the call; or why nothing does. */
export type Shown = { readonly ok: true; readonly target: string; readonly headers: OutgoingHttpHeaders } | { readonly ok: false; readonly reason: ReasonCode };

export interface Showing {
  /** The whole body must be there before. */
  readonly readsBody: boolean;
  /** `headers` has the server's `host`. Never rejects. */
  show(call: OutgoingCall): Promise<Shown>;
  /** Null: the answer passes as it comes. */
  readonly clean: Cleaning | null;
}

/** Takes the credential out of an answer, for services that repeat what they were called with. */
export interface Cleaning {
  headers(headers: IncomingHttpHeaders): OutgoingHttpHeaders;
  /** What the body goes through. Undefined: it cannot be read, so it must not pass. */
  body(encoding: string | undefined): readonly Transform[] | undefined;
}

export function goesByCourier({ injected }: Pick<Service, 'injected'>): boolean {
  return injected !== null && ('query' in injected || 'sigv4' in injected);
}

/** Undefined: nginx shows it. */
export function showingOf({ injected }: Pick<Service, 'injected'>, signer: (sigv4: ServiceSigv4) => Signer): Showing | undefined {
  if (injected === null) return undefined;
  if ('query' in injected) return showInQuery(injected.query);
  return 'sigv4' in injected ? showBySigning(signer(injected.sigv4)) : undefined;
}
