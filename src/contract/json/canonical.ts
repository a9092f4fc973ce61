// One text for one value, as RFC 8785 (JCS) writes it: names sorted, no spaces, numbers as ECMAScript writes the double that they are.
//
// Strict beyond it: what readers do not agree on has no text. Python keeps whole numbers of any length, where RFC 8785 knows doubles alone.
import { isList, isObject, isRawNumber, type JsonValue } from './tree.ts';

/** Undefined: longer than `most` characters, a whole number beyond 2^53, or text that is no Unicode. */
export function canonicalText(value: JsonValue, most = Number.POSITIVE_INFINITY): string | undefined {
  const out: Out = { parts: [], left: most };
  return wrote(value, out) ? out.parts.join('') : undefined;
}

interface Out {
  readonly parts: string[];
  left: number;
}

/** False as soon as there can be no text: a body of megabytes is not walked to its end for a value that is too long. */
function wrote(value: JsonValue, out: Out): boolean {
  if (isList(value)) return put('[', out) && value.every((item, at) => (at === 0 || put(',', out)) && wrote(item, out)) && put(']', out);
  if (!isObject(value)) {
    const text = scalarText(value);
    return text !== undefined && put(text, out);
  }
  // By UTF-16 code units, as the comparison of texts is here (RFC 8785, section 3.2.3).
  const names = Object.keys(value).sort();
  const members = (): boolean =>
    names.every((name, at) => (at === 0 || put(',', out)) && name.isWellFormed() && put(`${JSON.stringify(name)}:`, out) && wrote(value[name] ?? null, out));
  return names.length <= out.left && put('{', out) && members() && put('}', out);
}

function put(text: string, out: Out): boolean {
  out.left -= text.length;
  if (out.left < 0) return false;
  out.parts.push(text);
  return true;
}

function scalarText(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value.isWellFormed() ? JSON.stringify(value) : undefined;
  if (typeof value === 'number') return numberText(String(value));
  return isRawNumber(value) ? numberText(value.rawJSON) : JSON.stringify(value);
}

/** `source` is a number of JSON, and finite. */
function numberText(source: string): string | undefined {
  const number = Number(source);
  if (/^-?\d+$/.test(source) && !Number.isSafeInteger(number)) return undefined;
  // -0 is 0 (RFC 8785, section 3.2.2.3).
  return String(number === 0 ? 0 : number);
}
