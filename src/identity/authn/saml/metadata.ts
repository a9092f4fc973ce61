// The IdP's metadata: its name, its addresses, and the certificates for its signatures.
import { X509Certificate } from 'node:crypto';
import { isLoopback } from '../../../config/sections/public-url.ts';
import { BINDING, NS } from './names.ts';
import { all, attribute, childrenNamed, isNamed, onlyChild, parseXml, SamlError, textOf, timeOf, type XmlElement } from './xml.ts';

export interface IdpMetadata {
  /** The exact `Issuer` of all its messages. */
  readonly entityId: string;
  /** HTTP-Redirect. */
  readonly loginUrl: string;
  /** HTTP-Redirect. Null: Lictor cannot begin a logout there. */
  readonly logoutUrl: string | null;
  /** Where Lictor sends answers to its logout requests. Null: nowhere. */
  readonly logoutAnswerUrl: string | null;
  /** PEM; at least one. */
  readonly certificates: readonly string[];
  /** The metadata is not valid from then on. Null: it names no end. */
  readonly validUntilMs: number | null;
}

const SMALLEST_KEY_BITS = 2048;

/** Throws SamlError, which names what the metadata lacks. */
export function readMetadata(text: string, nowMs: number): IdpMetadata {
  const root = parseXml(text.replace(/^\uFEFF/, ''), { comments: true });
  const found = all(root).filter((element) => isNamed(element, NS.metadata, 'IDPSSODescriptor') && speaksSaml2(element));
  const [role] = found;
  if (role === undefined || found.length > 1) throw new SamlError(`the metadata describes ${found.length} identity providers of SAML 2.0, and one is needed`);
  const entity = all(root).find((element) => element === role.parentNode && isNamed(element, NS.metadata, 'EntityDescriptor'));
  const entityId = entity === undefined ? undefined : attribute(entity, 'entityID');
  if (entityId === undefined) throw new SamlError('the metadata has no entityID');
  const validUntilMs = endOf([root, entity, role]);
  if (validUntilMs !== null && validUntilMs <= nowMs) throw new SamlError('the metadata is no longer valid (validUntil): bring a newer one');
  const loginUrl = addressOf(role, 'SingleSignOnService', 'Location');
  if (loginUrl === null) throw new SamlError('the metadata has no SingleSignOnService of the binding HTTP-Redirect');
  const logoutUrl = addressOf(role, 'SingleLogoutService', 'Location');
  const logoutAnswerUrl = addressOf(role, 'SingleLogoutService', 'ResponseLocation') ?? logoutUrl;
  return { entityId, loginUrl, logoutUrl, logoutAnswerUrl, certificates: certificatesOf(role), validUntilMs };
}

function speaksSaml2(role: XmlElement): boolean {
  return (attribute(role, 'protocolSupportEnumeration') ?? '').split(/\s+/).includes(NS.protocol);
}

/** The earliest end of these elements. */
function endOf(elements: readonly (XmlElement | undefined)[]): number | null {
  const ends = elements.flatMap((element) => (element && attribute(element, 'validUntil')) ?? []);
  return ends.length === 0 ? null : Math.min(...ends.map((end) => timeOf(end, 'validUntil')));
}

/** The browser carries Lictor's signed messages there: https, or loopback. */
function addressOf(role: XmlElement, service: string, name: 'Location' | 'ResponseLocation'): string | null {
  const element = childrenNamed(role, NS.metadata, service).find((candidate) => attribute(candidate, 'Binding') === BINDING.redirect);
  const address = element === undefined ? undefined : attribute(element, name);
  if (address === undefined) return null;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const plain = url?.protocol === 'http:' && isLoopback(url.hostname);
  if (url === undefined || !(url.protocol === 'https:' || plain)) throw new SamlError(`${service} of the metadata is no https address`);
  return url.href;
}

/** Those for signing, and those for any use. Too small keys are ignored. */
function certificatesOf(role: XmlElement): readonly string[] {
  const keys = childrenNamed(role, NS.metadata, 'KeyDescriptor').filter((element) => (attribute(element, 'use') ?? 'signing') === 'signing');
  const texts = keys.flatMap((key) => all(onlyChild(key, NS.signature, 'KeyInfo')).filter((element) => isNamed(element, NS.signature, 'X509Certificate')));
  const pems = texts.flatMap((element) => strongPem(textOf(element)));
  if (pems.length === 0) throw new SamlError(`the metadata has no certificate for signing with an RSA key of ${SMALLEST_KEY_BITS} bits or more`);
  return [...new Set(pems)];
}

function strongPem(base64: string): readonly string[] {
  try {
    const certificate = new X509Certificate(Buffer.from(base64, 'base64'));
    const { asymmetricKeyType, asymmetricKeyDetails } = certificate.publicKey;
    return asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) >= SMALLEST_KEY_BITS ? [certificate.toString()] : [];
  } catch {
    throw new SamlError('a certificate of the metadata cannot be read');
  }
}
