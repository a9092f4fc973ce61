// The opening handshake (RFC 6455, 4.2) on the client's side: the client's request, and the gateway's own answer.
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { HANDSHAKE, INPUT } from '../../../contract/names.ts';

export interface Handshake {
  readonly key: string;
  /** The client's offers, in order. */
  readonly protocols: readonly string[];
}

/** RFC 6455, 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** From nginx's own variables. Undefined: not a handshake, or a proxy in between could parse it differently. */
export function parseHandshake(headers: IncomingHttpHeaders): Handshake | undefined {
  const read = (name: string): string => String(headers[name] ?? '');
  const key = read('sec-websocket-key');
  const protocols = parseProtocols(headers['sec-websocket-protocol']);
  const isSound =
    read(HANDSHAKE.protocol) === 'HTTP/1.1' &&
    read(INPUT.method) === 'GET' &&
    ['', '0'].includes(read(HANDSHAKE.framing)) &&
    listOf(read(HANDSHAKE.connection)).some((name) => name.toLowerCase() === 'upgrade') &&
    read('upgrade').toLowerCase() === 'websocket' &&
    read('sec-websocket-version') === '13' &&
    isKey(key);
  return isSound && protocols !== undefined ? { key, protocols } : undefined;
}

export function acceptFor(key: string): string {
  return createHash('sha1').update(`${key}${GUID}`).digest('base64');
}

/** Of the service it contains only the name of the protocol, which the client has offered. Neither side uses an extension. */
export function renderSwitch({ key }: Handshake, protocol: string | undefined): string {
  const chosen = protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(key)}\r\n${chosen}\r\n`;
}

/** 16 bytes, in the one base64 spelling. */
function isKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 16 && bytes.toString('base64') === text;
}

/** Undefined: not a list of different tokens. */
function parseProtocols(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return [];
  const names = listOf(header);
  return names.every((name) => TOKEN.test(name)) && new Set(names).size === names.length ? names : undefined;
}

function listOf(header: string): readonly string[] {
  return header.split(',').map((name) => name.trim());
}
