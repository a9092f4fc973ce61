// Which bytes of a message the provider has signed. Lictor trusts no other part of the message.
import { constants, createPublicKey, publicDecrypt } from 'node:crypto';
import { getVerifiedXml } from '@node-saml/node-saml/lib/xml.js';
import { CANONICALIZATION, DIGEST_METHODS, NS, SIGNATURE_METHODS, TRANSFORMS } from './names.ts';
import { all, attribute, childrenNamed, isNamed, onlyChild, parseXml, SamlError, textOf, type XmlElement } from './xml.ts';

/** The parts of a signature. Each appears exactly once and only inside it: duplicates are how attackers wrap signatures. */
const PARTS = ['SignedInfo', 'SignatureValue', 'CanonicalizationMethod', 'SignatureMethod', 'Reference', 'Transforms', 'DigestMethod', 'DigestValue'] as const;

/** Providers name a few (`xs xsi`). Each prefix is searched at every element. */
const LONGEST_PREFIX_LIST = 256;

/** The elements that name an algorithm, with the allowed ones. */
const ALGORITHMS: readonly (readonly [string, { has(name: string): boolean }])[] = [
  ['CanonicalizationMethod', new Set([CANONICALIZATION])],
  ['SignatureMethod', SIGNATURE_METHODS],
  ['DigestMethod', DIGEST_METHODS],
  ['Transform', TRANSFORMS],
];

/** IDs are unique in the whole document. Signatures appear in `signable` alone, each about its parent element. */
export function checkShape(root: XmlElement, signable: readonly XmlElement[]): void {
  const elements = all(root);
  const ids = elements.flatMap((element) => Array.from(element.attributes).flatMap(({ localName, value }) => (/^id$/i.test(localName) ? [value] : [])));
  if (new Set(ids).size !== ids.length) throw new SamlError('two elements have the same ID');
  for (const signature of elements.filter(({ localName }) => localName === 'Signature')) {
    const parent = signable.find((element) => element === signature.parentNode);
    if (parent === undefined || !isNamed(signature, NS.signature, 'Signature')) throw new SamlError('a signature stands where none may');
    if (childrenNamed(parent, NS.signature, 'Signature').length > 1) throw new SamlError('an element is signed twice');
    checkSignature(signature, parent);
  }
}

export function isSigned(element: XmlElement): boolean {
  return childrenNamed(element, NS.signature, 'Signature').length > 0;
}

/**
 * The element as signed, parsed from the very bytes whose digest the signature holds. `certificates` are those of the
 * metadata; a certificate in the document is ignored. `text` is the source of the element.
 */
export function verified(text: string, element: XmlElement, certificates: readonly string[]): XmlElement {
  const [signature] = childrenNamed(element, NS.signature, 'Signature');
  const possible = signature === undefined ? [] : certificates.filter((certificate) => mayHaveMade(signature, certificate));
  if (possible.length === 0) throw new SamlError('the signature is not that of the provider: none of its keys has made it');
  let bytes: string | null;
  try {
    bytes = getVerifiedXml(text, element, possible);
  } catch (cause) {
    throw new SamlError('the signature cannot be checked', { cause });
  }
  if (bytes === null) throw new SamlError('the signature is not that of the provider');
  return parseXml(bytes);
}

/**
 * Proves nothing about the message, only that this key made the number (RFC 8017, 8.2.2, up to step 2). A stranger cannot do that. Without
 * this check, forged messages would cause canonicalization, which costs far more, once for each certificate.
 */
function mayHaveMade(signature: XmlElement, certificate: string): boolean {
  try {
    const value = Buffer.from(textOf(onlyChild(signature, NS.signature, 'SignatureValue')), 'base64');
    publicDecrypt({ key: createPublicKey(certificate), padding: constants.RSA_PKCS1_PADDING }, value);
    return true;
  } catch {
    return false;
  }
}

function checkSignature(signature: XmlElement, parent: XmlElement): void {
  const inside = all(signature);
  const named = (name: string): readonly XmlElement[] => inside.filter(({ localName }) => localName === name);
  for (const name of PARTS) {
    const found = named(name);
    if (found.length !== 1 || found[0]?.namespaceURI !== NS.signature) throw new SamlError(`${name} of a signature is there ${found.length} times`);
  }
  for (const [name, allowed] of ALGORITHMS) {
    if (!named(name).every((element) => allowed.has(attribute(element, 'Algorithm') ?? ''))) throw new SamlError(`${name} of a signature is not allowed`);
  }
  if (named('InclusiveNamespaces').some((element) => (attribute(element, 'PrefixList') ?? '').length > LONGEST_PREFIX_LIST)) {
    throw new SamlError('a signature names too many prefixes');
  }
  if (named('Object').length + named('Manifest').length > 0) throw new SamlError('a signature holds an object of its own');
  const id = attribute(parent, 'ID') ?? '';
  const [reference] = named('Reference');
  if (!/^[A-Za-z_][\w.-]*$/.test(id) || reference?.getAttribute('URI') !== `#${id}`) throw new SamlError('a signature is not about what it stands in');
}
