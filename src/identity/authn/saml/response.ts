// The provider's answer to a login: its form, its signer, and its one assertion, parsed from the signed bytes.
import { type NotProven, notProven } from '../external/provider.ts';
import { type Assertion, checkIssued, type Expected, readAssertion } from './assertion.ts';
import { NS, SUCCESS } from './names.ts';
import { checkShape, isSigned, verified } from './signed.ts';
import { all, attribute, isNamed, onlyChild, optionalChild, parseXml, SamlError, uriOf, type XmlElement } from './xml.ts';

export type ReadResponse = { readonly ok: true; readonly assertion: Assertion } | NotProven;

/** `encoded`: the form's SAMLResponse. Never throws, whatever the browser sends. */
export function readResponse(encoded: string, expected: Expected): ReadResponse {
  try {
    return readText(decodeMessage(encoded), expected);
  } catch (error) {
    if (error instanceof SamlError) return notProven('assertion-invalid', error.message);
    throw error;
  }
}

/** For a message in a form. Normalises line ends, as signer and verifier do. */
export function decodeMessage(encoded: string): string {
  const base64 = encoded.replace(/[\r\n]/g, '');
  if (base64 === '' || base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) throw new SamlError('the message is no base64');
  return utf8(Buffer.from(base64, 'base64'));
}

export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r\n?/g, '\n');
  } catch {
    throw new SamlError('the message is no UTF-8');
  }
}

function readText(text: string, expected: Expected): ReadResponse {
  const root = parseXml(text);
  if (!isNamed(root, NS.protocol, 'Response')) throw new SamlError('the message is no Response');
  const elements = all(root);
  const encrypted = elements.find(({ localName }) => localName.startsWith('Encrypted'));
  if (encrypted !== undefined) return notProven('assertion-encrypted', `${encrypted.localName} cannot be read`);
  if (elements.filter(({ localName }) => localName === 'Response').length !== 1) throw new SamlError('a Response within the Response');
  const status = statusOf(root);
  const assertions = elements.filter(({ localName }) => localName === 'Assertion');
  // An error is seldom signed. To believe it is safe, since it permits no login.
  if (!status.success && assertions.length === 0) return notProven('login-denied-by-idp', `the provider answered ${status.word}`);
  const [only] = assertions;
  if (!status.success || only === undefined || assertions.length !== 1)
    throw new SamlError(`${assertions.length} assertions, and the status ${status.success ? '' : 'no success: '}${status.word}`);
  if (!isNamed(only, NS.assertion, 'Assertion') || only.parentNode !== root) throw new SamlError('the assertion stands where none may');
  checkShape(root, [root, only]);
  const signed = signedAssertion(text, { root, only }, expected.idp.certificates);
  checkEnvelope(root, expected);
  const { requestId } = expected;
  if ((attribute(root, 'InResponseTo') ?? requestId) !== requestId) return notProven('assertion-other-login', 'the response answers another request');
  return readAssertion(signed, expected);
}

/** Every signature must be valid, and there is at least one. */
function signedAssertion(text: string, { root, only }: { readonly root: XmlElement; readonly only: XmlElement }, certificates: readonly string[]): XmlElement {
  const whole = isSigned(root) ? verified(text, root, certificates) : undefined;
  const own = isSigned(only) ? verified(text, only, certificates) : undefined;
  const found = own ?? (whole === undefined ? undefined : onlyChild(whole, NS.assertion, 'Assertion'));
  if (found === undefined) throw new SamlError('neither the assertion nor the response is signed');
  if (!isNamed(found, NS.assertion, 'Assertion')) throw new SamlError('what is signed is no assertion');
  return found;
}

/** Checks the response around the assertion: it can only be wrong, never prove anything. */
function checkEnvelope(root: XmlElement, { idp, acsUrl, nowMs }: Expected): void {
  const destination = attribute(root, 'Destination');
  // Bindings 3.5.5.2: a signed message names it.
  if (destination === undefined ? isSigned(root) : destination !== acsUrl) throw new SamlError('Destination is not this address');
  if (attribute(root, 'Version') !== '2.0') throw new SamlError('the version is not 2.0');
  checkIssued(root, nowMs, 'the response');
  const issuer = optionalChild(root, NS.assertion, 'Issuer');
  if (issuer !== undefined && uriOf(issuer) !== idp.entityId) throw new SamlError('the response has another issuer');
}

/** The outer code decides (Core 3.2.2.2). The inner one only describes a failure. */
function statusOf(root: XmlElement): { readonly success: boolean; readonly word: string } {
  const code = onlyChild(onlyChild(root, NS.protocol, 'Status'), NS.protocol, 'StatusCode');
  const value = attribute(code, 'Value') ?? '';
  const inner = optionalChild(code, NS.protocol, 'StatusCode');
  const success = value === SUCCESS;
  return { success, word: lastWord(success ? value : ((inner && attribute(inner, 'Value')) ?? value)) };
}

function lastWord(status: string): string {
  return /[A-Za-z]{1,40}$/.exec(status)?.[0] ?? 'something unreadable';
}
