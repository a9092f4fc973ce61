// Parses XML strictly: no declarations, comments or processing instructions; always namespaces; bounded sizes.
import { DOMParser } from '@xmldom/xmldom';
import { isWellFormed, withoutDeclaration } from './well-formed.ts';

/** The part of the DOM that Lictor uses. */
export interface XmlNode {
  readonly nodeType: number;
  readonly nodeValue: string | null;
  readonly parentNode: XmlNode | null;
  readonly childNodes: ArrayLike<XmlNode>;
}

export interface XmlElement extends XmlNode {
  readonly localName: string;
  readonly namespaceURI: string | null;
  readonly attributes: ArrayLike<{ readonly localName: string; readonly value: string }>;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
}

/** A problem of a document. `message` names the rule, never the content: safe to log. */
export class SamlError extends Error {
  override readonly name = 'SamlError';
}

const LIMITS = { characters: 256 * 1024, depth: 40 } as const;

interface Most {
  readonly elements: number;
  readonly attributes: number;
}

/** Metadata comes from the address in lictor.yaml. It is long if a provider describes all its claims. */
const IN_METADATA: Most = { elements: 20_000, attributes: 60_000 };
/**
 * Anyone can send a message. Providers write no more than this into the 48 KiB of a form. The cost of a signature check
 * grows with its square: 11,700 elements took seven seconds, in which the gateway decided nothing.
 */
const IN_MESSAGES: Most = { elements: 1_500, attributes: 1_500 };
/** XML 1.0, 2.2. */
const XML_CHARACTERS = /^[\t\n\r -\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]*$/u;
/** The parser reads them as line feeds, as XML 1.1 does: then the parsed text would differ from the signed text. */
const LATER_LINE_ENDS = /[\u0085\u2028]/;
const ELEMENT = 1;
const TEXT = 3;

/** `comments`: metadata, which is not signed for Lictor, may contain them. */
export function parseXml(text: string, { comments = false } = {}): XmlElement {
  const most = comments ? IN_METADATA : IN_MESSAGES;
  if (text.length > LIMITS.characters) throw new SamlError('the document is too large');
  // In well-formed XML no "<" stands in a text or a value. So this finds every declaration, comment, CDATA section and instruction.
  const body = withoutDeclaration(text);
  if (body === undefined) throw new SamlError('the declaration is not that of XML 1.0, or names another encoding');
  const bare = comments ? body.replace(/<!--[\s\S]*?-->/g, '') : body;
  // Checked before parsing: an element has one or two of them.
  if (bare.split('<').length > 2 * most.elements + 1) throw tooMuch();
  if (!comments && LATER_LINE_ENDS.test(text)) throw new SamlError('the document holds a line end of XML 1.1');
  if (/<[!?]/.test(bare)) throw new SamlError('the document holds a declaration, a comment, CDATA or an instruction');
  const refuse = (): never => {
    throw new SamlError('the document is not well-formed');
  };
  if (!XML_CHARACTERS.test(bare) || !isWellFormed(bare)) refuse();
  const document = new DOMParser({ errorHandler: { warning: refuse, error: refuse, fatalError: refuse } }).parseFromString(text, 'text/xml');
  if (document.doctype !== null || Array.from(document.childNodes).filter(isElement).length !== 1) throw new SamlError('the document has not one root');
  checkSize(document.documentElement, most);
  return document.documentElement;
}

/** Without recursion, so that deep documents cannot overflow the call stack. */
function checkSize(root: XmlElement, most: Most): void {
  let [elements, attributes] = [0, 0];
  const waiting = [{ element: root, depth: 1 }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { element, depth } = next;
    elements += 1;
    attributes += element.attributes.length;
    if (depth > LIMITS.depth || elements > most.elements || attributes > most.attributes) throw tooMuch();
    for (const child of children(element)) waiting.push({ element: child, depth: depth + 1 });
  }
}

function tooMuch(): SamlError {
  return new SamlError('the document is too deep or has too many elements or attributes');
}

/** The element and all its descendants, in document order. */
export function all(root: XmlElement): readonly XmlElement[] {
  const found: XmlElement[] = [];
  const waiting = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    found.push(next);
    waiting.push(...children(next).toReversed());
  }
  return found;
}

export function children(element: XmlElement): readonly XmlElement[] {
  return Array.from(element.childNodes).filter(isElement);
}

/** Direct children of this name in this namespace. */
export function childrenNamed(element: XmlElement, namespace: string, name: string): readonly XmlElement[] {
  return children(element).filter((child) => isNamed(child, namespace, name));
}

/** The one child of this name. Undefined: none. More than one is rejected. */
export function optionalChild(element: XmlElement, namespace: string, name: string): XmlElement | undefined {
  const found = childrenNamed(element, namespace, name);
  if (found.length > 1) throw new SamlError(`${name} is there ${found.length} times`);
  return found[0];
}

export function onlyChild(element: XmlElement, namespace: string, name: string): XmlElement {
  const found = optionalChild(element, namespace, name);
  if (found === undefined) throw new SamlError(`${name} is missing`);
  return found;
}

export function isNamed(element: XmlElement, namespace: string, name: string): boolean {
  return element.localName === name && element.namespaceURI === namespace;
}

/** Undefined: it is missing or empty. */
export function attribute(element: XmlElement, name: string): string | undefined {
  const value = element.getAttribute(name);
  return value === null || value === '' ? undefined : value;
}

/** The text of an element that contains only text, unchanged: `admin` with an invisible character is not `admin`. */
export function textOf(element: XmlElement): string {
  const nodes = Array.from(element.childNodes);
  if (!nodes.every(({ nodeType }) => nodeType === TEXT)) throw new SamlError(`${element.localName} holds more than text`);
  const text = nodes.map(({ nodeValue }) => nodeValue ?? '').join('');
  // The parser accepts `&#xD800;` and similar references.
  if (!XML_CHARACTERS.test(text)) throw new SamlError(`${element.localName} holds what is no character of XML`);
  return text;
}

/** The same for an address, which may have line breaks around it (XML Schema 2, 4.3.6: `collapse` of xs:anyURI). */
export function uriOf(element: XmlElement): string {
  return textOf(element).replaceAll(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
}

/** xs:dateTime with a time zone, as milliseconds. */
export function timeOf(text: string, what: string): number {
  const ms = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new SamlError(`${what} is no time`);
  return ms;
}

function isElement(node: XmlNode): node is XmlElement {
  return node.nodeType === ELEMENT;
}
