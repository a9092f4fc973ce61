// A request as a person pastes it: a curl command, raw HTTP, or `METHOD /path` with a body. Credentials are dropped, and no error quotes the text.
import { LictorError } from '../../contract/error.ts';
import { parseCurl } from './curl.ts';

export interface Pasted {
  readonly method: string;
  /** The whole URL, or the path, with the query. */
  readonly url: string;
  readonly body: string | undefined;
  /** Lower case. */
  readonly headers: readonly string[];
  readonly notes: readonly string[];
}

/** Headers that carry a credential: their values are not read. */
const CREDENTIALS = ['authorization', 'cookie', 'x-lictor-token', 'proxy-authorization', 'x-api-key'];

export interface PastedRequest {
  /** `POST /api/...`, for `explainRequest`. */
  readonly line: string;
  readonly body: Buffer | undefined;
  readonly notes: readonly string[];
}

/** Throws LictorError `usage` when the text is no request. `publicUrl`: the gateway's own. */
export function parsePasted(text: string, publicUrl: { readonly origin: string }): PastedRequest {
  const { method, url, body, headers, notes } = /^\s*(?:\$\s+)?curl\s/.test(text) ? parseCurl(text) : parseHttp(text);
  const { target, note } = targetOf(url, publicUrl);
  const dropped = headers.filter((name) => CREDENTIALS.includes(name));
  const credentials =
    dropped.length === 0 ? [] : [`The credential of the pasted request (${dropped.join(', ')}) was not read: the answer is for the given principal.`];
  return { line: `${method.toUpperCase()} ${target}`, body: body === undefined ? undefined : Buffer.from(body), notes: [...credentials, ...notes, ...note] };
}

const REQUEST_LINE = /^\s*(?<method>[A-Za-z]+)[ \t]+(?<url>\S+)(?:[ \t]+HTTP\/[\d.]+)?[ \t]*(?:\r?\n|$)/;

function parseHttp(text: string): Pasted {
  const match = REQUEST_LINE.exec(text);
  const { method, url } = match?.groups ?? {};
  if (match === null || method === undefined || url === undefined)
    throw new LictorError('usage', 'This is no request. Paste a curl command, raw HTTP, or METHOD and path: POST /api/flow_runs/filter.');
  const headers: string[] = [];
  let rest = text.slice(match[0].length);
  for (let header = HEADER.exec(rest); header !== null; header = HEADER.exec(rest)) {
    headers.push((header[1] ?? '').toLowerCase());
    rest = rest.slice(header[0].length);
  }
  const body = rest.trim();
  return { method, url, body: body === '' ? undefined : body, headers, notes: [] };
}

/** A line of a body in JSON begins with another character. */
const HEADER = /^([A-Za-z][A-Za-z0-9-]*):[^\n]*(?:\n|$)/;

function targetOf(url: string, { origin }: { readonly origin: string }): { readonly target: string; readonly note: readonly string[] } {
  if (url.startsWith('/')) return { target: url, note: [] };
  const parts = /^(?:https?:\/\/)(?:[^/@]*@)?(?<host>[^/@?#]+)(?<target>[^#]*)/i.exec(url)?.groups;
  if (parts === undefined) throw new LictorError('usage', 'The request names no path: write it as /api/... or as a whole URL.');
  const { host = '', target = '' } = parts;
  const isOwn = origin.toLowerCase().endsWith(`//${host.toLowerCase()}`);
  const note = isOwn ? [] : [`The request names the host ${host}, and this gateway is ${origin}: the answer is for the same path here.`];
  const path = target.startsWith('/') ? target : `/${target}`;
  return { target: isOwn ? `${origin}${path}` : path, note };
}
