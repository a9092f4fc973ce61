// Which headers go on to Prefect, and which of Prefect's come back. Allow-lists: what is not named does not pass.

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

/** Not even when `forward_headers` names them: identity, provenance and the hop are the gateway's. */
const NEVER =
  /^(authorization|cookie|proxy-.*|x-lictor-.*|x-forwarded-.*|forwarded|x-real-ip|prefect-automation-.*|host|connection|content-.*|transfer-encoding|upgrade|te|trailer|keep-alive|expect)$/;

/** `body`: it is the gateway's own rendering, so its type is too. */
export function requestHeaders(headers: Readonly<Record<string, string>>, more: readonly string[], body: Buffer | null): Record<string, string> {
  const names = [...FORWARDED, ...more.map((name) => name.toLowerCase()).filter((name) => !NEVER.test(name))];
  const forwarded = Object.fromEntries(names.flatMap((name) => (headers[name] === undefined || headers[name] === '' ? [] : [[name, headers[name]]])));
  return body !== null ? { ...forwarded, 'content-type': 'application/json' } : forwarded;
}

const RETURNED = ['content-type', 'content-language', 'content-disposition', 'cache-control', 'etag', 'last-modified', 'location', 'retry-after', 'vary'];

export function responseHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(RETURNED.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
}
