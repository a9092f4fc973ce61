// A key in the query: appended to the caller's query, which stays unchanged, and removed from the service's answers.
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { ServiceQueryKey as QueryKey } from '../../../config/service.ts';
import { endToEnd } from '../../../contract/end-to-end.ts';
import { formsOf, percentEncode, SHORTEST_MASKED } from '../../../contract/secret-forms.ts';
import type { AuthStrategy } from './auth-strategy.ts';
import { maskIn } from './mask.ts';

export function queryKeyStrategy(key: QueryKey): AuthStrategy {
  const forms = formsOf(key.value);
  const cleanText = createLinkCleaner(key, forms);
  return {
    readsBody: false,
    async authenticateCall({ target, headers }) {
      const withKey = addKey(target, key);
      if (withKey === undefined) return { ok: false, reason: 'request-invalid' };
      // With ranges, a caller could read the key in parts. An encoded answer cannot be searched.
      const { range: _range, 'if-range': _ifRange, ...rest } = headers;
      return { ok: true, target: withKey, headers: { ...rest, 'accept-encoding': 'identity' } };
    },
    clean: {
      headers: (headers) => cleanHeaders(headers, cleanText, forms),
      body(encoding = 'identity') {
        const name = encoding.trim().toLowerCase();
        const decoder = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
        if (decoder === undefined) return undefined;
        return [...decoder(), ...(key.value.length < SHORTEST_MASKED ? [] : [maskIn(forms)])];
      },
    },
  };
}

const DECODERS: Readonly<Record<string, () => readonly ReturnType<typeof createGunzip>[]>> = {
  identity: () => [],
  gzip: () => [createGunzip()],
  'x-gzip': () => [createGunzip()],
  deflate: () => [createInflate()],
  br: () => [createBrotliDecompress()],
};

/** For a query. Each part is checked while all other work waits, and AWS's signer takes quadratic time for repeated names. */
export const MOST_PARTS = 1_000;

/** Undefined: the caller uses the parameter name too, which is ambiguous; or hides the key behind a `#`; or there are too many parts. */
export function addKey(target: string, { name, value }: QueryKey): string | undefined {
  if (target.includes('#')) return undefined;
  const at = target.indexOf('?');
  const query = at < 0 ? '' : target.slice(at + 1);
  const parts = query.split(/[&;]/).filter((part) => part !== '');
  if (parts.length > MOST_PARTS || parts.some((part) => names(part, name))) return undefined;
  const joint = at < 0 ? '?' : query === '' || query.endsWith('&') ? '' : '&';
  return `${target}${joint}${name}=${percentEncode(value)}`;
}

/** In any spelling that some server accepts: escapes (also twice), capitals, spaces around it, `key[]`, PHP's `_`, and the old `%u0061`. */
function names(part: string, name: string): boolean {
  const wanted = plain(name);
  const raw = part.split('=', 1)[0] ?? '';
  return [decode(raw), decode(decode(raw))].some((text) => {
    const read = plain(text);
    return read === wanted || read.startsWith(`${wanted}[`) || read.replaceAll('[', '_') === wanted;
  });
}

function plain(text: string): string {
  const [shown = ''] = text.split('\0', 1);
  return shown.trim().toLowerCase().replaceAll(/[ .]/g, '_');
}

/** By bytes: invalid UTF-8 is decoded as well. */
function decode(text: string): string {
  return text.replaceAll('+', ' ').replaceAll(/%(?:u00)?([0-9A-Fa-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

type CleanText = (text: string) => string;

function createLinkCleaner({ name }: QueryKey, forms: readonly string[]): CleanText {
  const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  const parameter = new RegExp(`([?&;])${literal(name)}=(?:${forms.map(literal).join('|')})(&|;|(?=["'<>#,\\s]|$))`, 'gi');
  return (text) => text.replaceAll(parameter, (_, before: string, after: string) => (after === '' ? '' : before));
}

/** Removes the parameter from links. A header that still contains the key is dropped. */
function cleanHeaders(headers: IncomingHttpHeaders, cleanText: CleanText, forms: readonly string[]): OutgoingHttpHeaders {
  const passed = endToEnd(headers, ['accept-ranges', 'content-encoding', ...(isEncoded(headers) ? ['content-length'] : [])]);
  const entries = Object.entries(passed).flatMap(([name, value]): [string, string | string[]][] => {
    if (value === undefined) return [];
    const clean = Array.isArray(value) ? value.map(cleanText) : cleanText(String(value));
    const text = [clean].flat().join('\n').toLowerCase();
    return forms.some((form) => text.includes(form.toLowerCase())) ? [] : [[name, clean]];
  });
  return Object.fromEntries(entries);
}

function isEncoded(headers: IncomingHttpHeaders): boolean {
  const encoding = headers['content-encoding']?.trim().toLowerCase();
  return encoding !== undefined && encoding !== 'identity';
}
