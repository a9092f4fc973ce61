// Allow-lists of the headers that Lictor forwards to Prefect, and of Prefect's headers that it returns.

const FORWARDED = [
  'accept',
  'accept-language',
  'user-agent',
  'prefect-csrf-token',
  'prefect-csrf-client',
  'x-prefect-api-version',
  'x-prefect-ui',
  'x-prefect-worker-id',
  'x-prefect-worker-name',
  'x-prefect-flow-id',
  'x-prefect-flow-name',
  'x-prefect-deployment-id',
  'x-prefect-deployment-name',
  'traceparent',
  'tracestate',
] as const;

/** Lictor forwards none of these, even when `forward_headers` names them: it sets identity, provenance and hop-by-hop headers itself. */
const NEVER =
  /^(authorization|cookie|proxy-.*|x-lictor-.*|x-forwarded-.*|forwarded|x-real-ip|prefect-automation-.*|host|connection|content-.*|transfer-encoding|upgrade|te|trailer|keep-alive|expect)$/;

/** `body`: Lictor has rendered it, so Lictor sets its content type. */
export function requestHeaders(headers: Readonly<Record<string, string>>, more: readonly string[], body: Buffer | null): Record<string, string> {
  const names = [...FORWARDED, ...more.map((name) => name.toLowerCase()).filter((name) => !NEVER.test(name))];
  const forwarded = Object.fromEntries(names.flatMap((name) => (headers[name] === undefined || headers[name] === '' ? [] : [[name, headers[name]]])));
  return body !== null ? { ...forwarded, 'content-type': 'application/json' } : forwarded;
}

const RETURNED = ['content-type', 'content-language', 'content-disposition', 'cache-control', 'etag', 'last-modified', 'location', 'retry-after', 'vary'];

export function responseHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(RETURNED.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}
