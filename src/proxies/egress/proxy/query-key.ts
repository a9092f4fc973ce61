// A key in the query: put behind the caller's own, which stays as it is, and taken out of whatever the service says of itself.
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
      // By ranges the key could be read in pieces; an encoded answer could not be looked through.
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

/** Of a query: each is looked at while nobody else is served, and one that is there thousands of times AWS's signer joins in the square of their number. */
export const MOST_PARTS = 1_000;

/** Undefined: the caller names the parameter too, and who reads which of the two nobody knows; or hides what comes behind a `#`; or there is too much to look at. */
export function addKey(target: string, { name, value }: QueryKey): string | undefined {
  if (target.includes('#')) return undefined;
  const at = target.indexOf('?');
  const query = at < 0 ? '' : target.slice(at + 1);
  const parts = query.split(/[&;]/).filter((part) => part !== '');
  if (parts.length > MOST_PARTS || parts.some((part) => names(part, name))) return undefined;
  const joint = at < 0 ? '?' : query === '' || query.endsWith('&') ? '' : '&';
  return `${target}${joint}${name}=${percentEncode(value)}`;
}

/** In any spelling that some server reads so: escapes (twice, too), capitals, spaces around it, `key[]`, what PHP makes `_` of, and `%u0061` of old. */
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

/** By bytes: what is no UTF-8 is read as well. */
function decode(text: string): string {
  return text.replaceAll('+', ' ').replaceAll(/%(?:u00)?([0-9A-Fa-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

type CleanText = (text: string) => string;

function createLinkCleaner({ name }: QueryKey, forms: readonly string[]): CleanText {
  const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  const parameter = new RegExp(`([?&;])${literal(name)}=(?:${forms.map(literal).join('|')})(&|;|(?=["'<>#,\\s]|$))`, 'gi');
  return (text) => text.replaceAll(parameter, (_, before: string, after: string) => (after === '' ? '' : before));
}

/** Links lose the parameter; what then still holds the key is dropped. */
function cleanHeaders(headers: IncomingHttpHeaders, cleanText: CleanText, forms: readonly string[]): OutgoingHttpHeaders {
  const kept = endToEnd(headers, ['accept-ranges', 'content-encoding', ...(isEncoded(headers) ? ['content-length'] : [])]);
  const entries = Object.entries(kept).flatMap(([name, value]): [string, string | string[]][] => {
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
