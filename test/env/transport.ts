// The ways to a listener, so that one table of hostile requests is sent over each: plain, TLS with HTTP/1.1, HTTP/2.
import { type Field, rawHttp2Request } from './raw-http2.ts';
import { type RawAnswer, rawRequest, rawTlsRequest } from './raw-request.ts';

export interface Ask {
  readonly method?: string;
  readonly target: string;
  /** Default: localhost with the port. */
  readonly host?: string;
  /** Lines `Name: value`. */
  readonly headers?: readonly string[];
  /** Latin-1. Its length is not said: that is a header. */
  readonly body?: string;
}

export interface Transport {
  readonly name: string;
  send(port: number, ask: Ask): Promise<RawAnswer>;
}

export interface Http1 extends Transport {
  /** Bytes as they are. */
  raw(port: number, bytes: string, deadlineMs?: number): Promise<RawAnswer>;
}

export const plain: Http1 = { name: 'plain', raw: rawRequest, send: (port, ask) => rawRequest(port, http1Bytes(port, ask)) };

export const tls: Http1 = { name: 'TLS', raw: rawTlsRequest, send: (port, ask) => rawTlsRequest(port, http1Bytes(port, ask)) };

export const http2: Transport = {
  name: 'HTTP/2',
  send: (port, { headers = [], body = '', ...ask }) => rawHttp2Request(port, { fields: [...pseudoFields(port, ask), ...headers.map(fieldOf)], body }),
};

/** What stands in the request line and the Host header of HTTP/1.1. */
export function pseudoFields(port: number, { method = 'GET', target, host = `localhost:${port}` }: Ask): readonly Field[] {
  return [
    [':method', method],
    [':scheme', 'https'],
    [':authority', host],
    [':path', target],
  ];
}

/** `Name: value` as a field, whose name is in lower case. */
export function fieldOf(line: string): Field {
  const colon = line.indexOf(':');
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function http1Bytes(port: number, { method = 'GET', target, host = `localhost:${port}`, headers = [], body = '' }: Ask): string {
  return `${[`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...headers, 'Connection: close', '', ''].join('\r\n')}${body}`;
}
