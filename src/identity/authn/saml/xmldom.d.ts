// The part of xmldom that Lictor uses (tsconfig.json): its own types bring all globals of a browser.
import type { XmlElement, XmlNode } from './xml.ts';

interface XmlDocument extends XmlNode {
  readonly documentElement: XmlElement;
  readonly doctype: XmlNode | null;
}

export class DOMParser {
  constructor(options: { readonly errorHandler: Readonly<Record<'warning' | 'error' | 'fatalError', () => never>> });
  parseFromString(text: string, type: 'text/xml'): XmlDocument;
}
