// A client's signed GetCallerIdentity, parsed strictly and compared with the one acceptable request. Proves nothing yet.
import type { AwsIamProvider } from '../../../config/config.ts';
import { parseStrict } from '../../../contract/json/strict-json.ts';
import { isObject, type JsonObject } from '../../../contract/json/tree.ts';

/** The global endpoint uses this region in signatures. */
const GLOBAL_REGION = 'us-east-1';
export const BODY = 'Action=GetCallerIdentity&Version=2011-06-15';
/** Its SHA-256. */
export const BODY_HASH = 'ab821ae955788b0e33ebd34c208442ccfc2d406e2edc5e7a39bd6458fbb4f843';
export const AUDIENCE_HEADER = 'x-lictor-audience';
/** Signatures are valid for this time before and after the gateway's clock. AWS also accepts 5 minutes of skew. */
export const WINDOW_MS = 5 * 60_000;

/** An STS endpoint of the configuration's regions. A request cannot name another one. */
interface Endpoint {
  /** With a slash at the end. */
  readonly url: string;
  /** For the header `Host`. */
  readonly host: string;
}

export interface SignedRequest {
  readonly endpoint: Endpoint;
  readonly accessKeyId: string;
  /** The proof itself. It counts once. */
  readonly signature: string;
  readonly dateMs: number;
  /** The signed headers and the signature. Lictor writes all names and values except the client's key, date, token and signature. */
  readonly headers: Readonly<Record<string, string>>;
}

export type AwsProblem = 'aws-request' | 'aws-stale';

const MAX_LENGTH = 16 * 1024;
const FIELDS = ['method', 'url', 'headers', 'body'] as const;
const REQUIRED = ['host', 'x-amz-date', AUDIENCE_HEADER] as const;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([A-Z0-9]{16,128})\/([0-9]{8})\/([a-z0-9-]{1,32})\/sts\/aws4_request, ?SignedHeaders=([a-z0-9;-]{1,256}), ?Signature=([0-9a-f]{64})$/;

/** `subject_token`: a JSON object with only `method`, `url`, `headers` and `body`. */
export function parseSignedRequest(text: string, provider: AwsIamProvider, nowMs: number): SignedRequest | AwsProblem {
  const parsed = text.length > MAX_LENGTH ? undefined : parseStrict(Buffer.from(text, 'utf8'));
  if (parsed === undefined || !parsed.ok || !isObject(parsed.tree)) return 'aws-request';
  const given = parsed.tree;
  const headers = readHeaders(given['headers']);
  if (headers === undefined || Object.keys(given).length !== FIELDS.length || given['method'] !== 'POST' || given['body'] !== BODY) return 'aws-request';
  const [, accessKeyId = '', scopeDate, region = '', signedText = '', signature = ''] = AUTHORIZATION.exec(headers.get('authorization') ?? '') ?? [];
  const endpoint = endpointIn(provider, region);
  if (endpoint === undefined || (given['url'] !== endpoint.url && given['url'] !== endpoint.url.slice(0, -1))) return 'aws-request';
  const signed = signedText.split(';');
  const date = headers.get('x-amz-date') ?? '';
  const rebuilt = rebuild(signed, headers, { host: endpoint.host, audience: provider.audience });
  if (rebuilt === undefined || scopeDate !== date.slice(0, 8)) return 'aws-request';
  const dateMs = parseDate(date);
  if (dateMs === undefined) return 'aws-request';
  if (Math.abs(nowMs - dateMs) > WINDOW_MS) return 'aws-stale';
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scopeDate}/${region}/sts/aws4_request, SignedHeaders=${signedText}, Signature=${signature}`;
  return { endpoint, accessKeyId, signature, dateMs, headers: { ...rebuilt, authorization } };
}

/** Names in lower case, each once; values without control characters. Undefined: anything else. */
function readHeaders(value: JsonObject[string] | undefined): ReadonlyMap<string, string> | undefined {
  if (!isObject(value)) return undefined;
  const headers = new Map<string, string>();
  for (const [name, text] of Object.entries(value)) {
    const lower = name.toLowerCase();
    if (headers.has(lower) || typeof text !== 'string' || !/^[!-~](?:[ -~]*[!-~])?$/.test(text)) return undefined;
    headers.set(lower, text);
  }
  return headers;
}

/**
 * Lictor builds the request that it sends: each signed header is a known one with its required value. Any other header,
 * signed or not, is rejected, since it could change the meaning. Undefined: rejected.
 */
function rebuild(
  signed: readonly string[],
  given: ReadonlyMap<string, string>,
  fixed: { readonly host: string; readonly audience: string },
): Record<string, string> | undefined {
  const values = allowedValues(given, fixed);
  if (!isSortedSet(signed) || !REQUIRED.every((name) => signed.includes(name))) return undefined;
  for (const [name, text] of given) {
    if (name !== 'authorization' && (values[name]?.includes(text) !== true || !signed.includes(name))) return undefined;
  }
  if (!signed.every((name) => given.has(name))) return undefined;
  const own = ['host', 'content-length'];
  return Object.fromEntries(signed.filter((name) => !own.includes(name)).map((name) => [name, given.get(name) ?? '']));
}

function allowedValues(given: ReadonlyMap<string, string>, { host, audience }: { readonly host: string; readonly audience: string }) {
  const free = (name: string): readonly string[] => [given.get(name) ?? ''];
  const values: Readonly<Record<string, readonly string[]>> = {
    host: [host],
    [AUDIENCE_HEADER]: [audience],
    'x-amz-date': free('x-amz-date'),
    'x-amz-security-token': free('x-amz-security-token'),
    'x-amz-content-sha256': [BODY_HASH],
    'content-type': ['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=utf-8'],
    'content-length': [String(BODY.length)],
  };
  return values;
}

/** As SigV4 requires: sorted, without duplicates. */
function isSortedSet(names: readonly string[]): boolean {
  return names.every((name, index) => index === 0 || (names[index - 1] ?? '') < name);
}

/** `20261125T170000Z`. */
function parseDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const ms = Date.parse(iso);
  return Number.isNaN(ms) || new Date(ms).toISOString() !== iso ? undefined : ms;
}

/** Undefined: Lictor accepts no signatures for this region. */
function endpointIn({ regions, stsEndpoint }: Pick<AwsIamProvider, 'regions' | 'stsEndpoint'>, region: string): Endpoint | undefined {
  const allowed = regions.length === 0 ? [GLOBAL_REGION] : regions;
  if (!allowed.includes(region)) return undefined;
  const { host, origin } = new URL(stsEndpoint ?? `https://${regions.length === 0 ? 'sts.amazonaws.com' : regionalHost(region)}`);
  return { url: `${origin}/`, host };
}

function regionalHost(region: string): string {
  return `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}
