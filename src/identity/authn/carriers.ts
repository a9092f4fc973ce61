// Where a request carries credentials, and strict parsers for each. Any deviation from the form is malformed; Lictor guesses nothing.
import type { EdgeInputs } from '../../contract/inputs.ts';
import type { Carrier } from '../../contract/principal.ts';
import { claimsToBeToken } from './service-token/token-text.ts';

/** A credential as presented. `token` null: it cannot be parsed. */
export type Presented =
  | { readonly carrier: Exclude<Carrier, 'session' | 'certificate'>; readonly token: string | null }
  | { readonly carrier: 'session'; readonly cookieValue: string }
  | { readonly carrier: 'certificate'; readonly escaped: string };

/** In the order of their precedence. */
export function presentedCredentials(inputs: EdgeInputs, frameToken: string | null): readonly Presented[] {
  const presented: Presented[] = [];
  const authorization = readAuthorization(inputs);
  if (authorization !== undefined) presented.push(authorization);
  if (inputs.token !== '') presented.push({ carrier: 'x-lictor-token', token: inputs.token });
  if (inputs.session !== '') presented.push({ carrier: 'session', cookieValue: inputs.session });
  if (inputs.certificate !== '') presented.push({ carrier: 'certificate', escaped: inputs.certificate });
  if (frameToken !== null && frameToken !== '') presented.push({ carrier: 'frame', token: tokenOfFrame(frameToken) });
  return presented;
}

/**
 * Prefect's UI stores an old Basic credential in local storage and always sends it. Beside a session or a certificate,
 * and from Lictor's own origin, Lictor ignores such a credential unless it looks like a token of Lictor.
 */
function readAuthorization(inputs: EdgeInputs): Presented | undefined {
  if (inputs.authorization === '') return undefined;
  const parsed = parseAuthorization(inputs.authorization);
  const leftover = parsed.scheme === 'basic' && !(parsed.token !== null && claimsToBeToken(parsed.token));
  if (leftover && `${inputs.session}${inputs.certificate}` !== '' && inputs.sameOrigin) return undefined;
  return { carrier: 'authorization', token: parsed.token };
}

export interface AuthorizationHeader {
  readonly scheme: 'bearer' | 'basic' | 'other';
  /** Null: malformed, or another scheme. */
  readonly token: string | null;
}

/** RFC 9110 11.6.2, RFC 6750 2.1, RFC 7617: scheme in any case, exactly one space, nothing around it. */
export function parseAuthorization(value: string): AuthorizationHeader {
  const match = /^([A-Za-z]+) ([!-~]+)$/.exec(value);
  const scheme = /^[A-Za-z]+/.exec(value)?.[0].toLowerCase();
  const credentials = match?.[2] ?? null;
  if (scheme === 'bearer') return { scheme, token: credentials };
  if (scheme === 'basic') return { scheme, token: credentials === null ? null : parseBasicPassword(credentials) };
  return { scheme: 'other', token: null };
}

/** The password of `user:password` in canonical base64 of valid UTF-8; null otherwise. Any user name is accepted, also none. */
export function parseBasicPassword(credentials: string): string | null {
  const bytes = Buffer.from(credentials, 'base64');
  if (bytes.toString('base64') !== credentials) return null;
  const text = decodeUtf8(bytes);
  const colon = text?.indexOf(':') ?? -1;
  if (text === null || colon < 0 || hasControl(text)) return null;
  return text.slice(colon + 1);
}

/** The first frame holds the client's auth string `user:TOKEN`, or its API key, the bare TOKEN. */
export function tokenOfFrame(frameToken: string): string {
  return frameToken.slice(frameToken.indexOf(':') + 1);
}

/** RFC 7617 2: no control characters in either part. */
function hasControl(text: string): boolean {
  return [...text].some((letter) => letter < ' ' || letter === '\u007f');
}

function decodeUtf8(bytes: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
