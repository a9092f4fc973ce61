// The provider reports the end of a session: a signed LogoutRequest, in a form or in a URL.
import { createPublicKey, verify } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import type { Clock } from '../../../contract/clock.ts';
import type { Marks } from '../../../store/marks.ts';
import { type LogoutAsked, type NotProven, notProven } from '../external/provider.ts';
import { NAME } from '../identity/name.ts';
import type { IdpMetadata } from './metadata.ts';
import { NS, SIGNATURE_METHODS, SKEW_MS } from './names.ts';
import { decodeMessage, utf8 } from './response.ts';
import { checkShape, verified } from './signed.ts';
import { all, attribute, childrenNamed, isNamed, onlyChild, parseXml, SamlError, textOf, timeOf, uriOf, type XmlElement } from './xml.ts';

export interface LogoutOf {
  readonly ok: true;
  readonly requestId: string;
  readonly subject: string;
  /** Empty: all sessions of the subject. */
  readonly sessionIndexes: readonly string[];
}

export interface LogoutParts {
  readonly idpId: string;
  readonly idp: IdpMetadata;
  readonly logoutUrl: string;
  readonly clock: Clock;
  readonly marks: Pick<Marks, 'once'>;
}

/** Lictor accepts a request without an end for this time. */
const MAX_AGE_MS = 5 * 60_000;
const LONGEST = 64 * 1024;

/** Each request counts once. */
export async function readLogout(message: LogoutAsked['message'], parts: LogoutParts): Promise<LogoutOf | NotProven> {
  try {
    const request = message.binding === 'post' ? signedForm(message.encoded, parts) : signedAddress(message.query, parts);
    const { usableUntilMs, ...logout } = checkRequest(request, parts);
    const fresh = await parts.marks.once('saml logout', `${parts.idpId} ${logout.requestId}`, usableUntilMs + 2 * SKEW_MS);
    return fresh ? logout : notProven('logout-request-invalid', 'used before');
  } catch (error) {
    if (error instanceof SamlError) return notProven('logout-request-invalid', error.message);
    throw error;
  }
}

function signedForm(encoded: string, { idp }: LogoutParts): XmlElement {
  const text = decodeMessage(encoded);
  const root = parseXml(text);
  checkShape(root, [root]);
  return verified(text, root, idp.certificates);
}

/** Bindings 3.4.4.1. Each part appears once, so that Lictor parses exactly what it verifies. */
function signedAddress(query: string, { idp }: LogoutParts): XmlElement {
  const parts = query.split('&').map((text) => [text.split('=', 1)[0] ?? '', text] as const);
  const only = (name: string): string => {
    const found = parts.filter(([key]) => decoded(key) === name);
    const [first] = found;
    if (first === undefined || first[0] !== name || found.length !== 1) throw new SamlError(`${name} is there ${found.length} times`);
    return first[1];
  };
  const value = (name: string): string => decoded(only(name).slice(name.length + 1));
  const signed = ['SAMLRequest', ...(parts.some(([key]) => decoded(key) === 'RelayState') ? ['RelayState'] : []), 'SigAlg'].map(only).join('&');
  const algorithm = SIGNATURE_METHODS.get(value('SigAlg'));
  if (algorithm === undefined) throw new SamlError('SigAlg is not allowed');
  const signature = Buffer.from(value('Signature'), 'base64');
  const isOf = (pem: string): boolean => verify(algorithm, Buffer.from(signed), createPublicKey(pem), signature);
  if (!idp.certificates.some(isOf)) throw new SamlError('the signature is not that of the provider');
  return parseXml(utf8(inflate(Buffer.from(value('SAMLRequest'), 'base64'))));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new SamlError('the query is no query');
  }
}

function inflate(bytes: Buffer): Buffer {
  try {
    return inflateRawSync(bytes, { maxOutputLength: LONGEST });
  } catch {
    throw new SamlError('the message cannot be inflated, or is too large');
  }
}

function checkRequest(root: XmlElement, { idp, logoutUrl, clock }: LogoutParts): LogoutOf & { readonly usableUntilMs: number } {
  if (!isNamed(root, NS.protocol, 'LogoutRequest') || attribute(root, 'Version') !== '2.0')
    throw new SamlError('the message is no LogoutRequest of version 2.0');
  if (all(root).some(({ localName }) => localName.startsWith('Encrypted'))) throw new SamlError('encrypted names cannot be read');
  const requestId = attribute(root, 'ID');
  if (requestId === undefined) throw new SamlError('the request has no ID');
  if (uriOf(onlyChild(root, NS.assertion, 'Issuer')) !== idp.entityId) throw new SamlError('the request has another issuer');
  if (attribute(root, 'Destination') !== logoutUrl) throw new SamlError('Destination is not this address');
  const issuedMs = timeOf(attribute(root, 'IssueInstant') ?? '', 'IssueInstant');
  const ends = attribute(root, 'NotOnOrAfter');
  const usableUntilMs = Math.min(issuedMs + MAX_AGE_MS, ends === undefined ? Number.POSITIVE_INFINITY : timeOf(ends, 'NotOnOrAfter'));
  if (issuedMs > clock() + SKEW_MS || clock() - SKEW_MS >= usableUntilMs) throw new SamlError('the request is too old, or from the future');
  const subject = textOf(onlyChild(root, NS.assertion, 'NameID'));
  const sessionIndexes = childrenNamed(root, NS.protocol, 'SessionIndex').map(textOf);
  if (![subject, ...sessionIndexes].every((text) => NAME.test(text))) throw new SamlError('a name in the request is no plain text');
  return { ok: true, requestId, subject, sessionIndexes, usableUntilMs };
}
