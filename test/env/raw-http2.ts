// HTTP/2 by hand: frames and header fields that no library would send, over TLS, and whatever comes back.
import { connect, type TLSSocket } from 'node:tls';
import type { RawAnswer } from './raw-request.ts';

export type Field = readonly [name: string, value: string];

export interface RawStream {
  /** Sent as they are, in this order. */
  readonly fields: readonly Field[];
  /** Latin-1; empty: the headers end the stream. */
  readonly body?: string;
  /** Behind the body. */
  readonly trailers?: readonly Field[];
}

/** One stream of a separate connection. No status: the stream was reset, or the connection ended. `text` is the body of the answer. */
export function rawHttp2Request(port: number, stream: RawStream, deadlineMs = 20_000): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
    const reader = createReader();
    const end = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text: reader.text(), statuses: reader.statuses(), closed });
    };
    const timer = setTimeout(() => end(false), deadlineMs);
    socket.on('data', (chunk) => {
      if (reader.take(chunk)) end(true);
    });
    socket.once('end', () => end(true));
    socket.once('error', () => end(true));
    socket.once('secureConnect', () => send(socket, stream));
  });
}

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const GOAWAY = 7;
const END_STREAM = 1;
const END_HEADERS = 4;
const FRAME_HEAD = 9;
/** RFC 7541, appendix A: the statuses that have an index of their own. */
const INDEXED_STATUS = new Map([200, 204, 206, 304, 400, 404, 500].map((status, at) => [0x88 + at, status]));

function send(socket: TLSSocket, { fields, body = '', trailers = [] }: RawStream): void {
  const frames = [Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(SETTINGS, 0, 0, Buffer.alloc(0))];
  const bare = body === '' && trailers.length === 0;
  frames.push(frame(HEADERS, END_HEADERS | (bare ? END_STREAM : 0), 1, block(fields)));
  if (!bare) frames.push(frame(DATA, trailers.length === 0 ? END_STREAM : 0, 1, Buffer.from(body, 'latin1')));
  if (trailers.length > 0) frames.push(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(trailers)));
  socket.write(Buffer.concat(frames));
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(FRAME_HEAD);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Literal fields without indexing, new names, no Huffman code: every byte stands there as it is (RFC 7541, 6.2.2). */
function block(fields: readonly Field[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), literal(name), literal(value)]));
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const head = [];
  let rest = bytes.length;
  if (rest < 127) head.push(rest);
  else {
    head.push(127);
    for (rest -= 127; rest >= 128; rest = Math.floor(rest / 128)) head.push((rest % 128) + 128);
    head.push(rest);
  }
  return Buffer.concat([Buffer.from(head), bytes]);
}

function createReader() {
  let pending = Buffer.alloc(0);
  const statuses: number[] = [];
  const bodies: Buffer[] = [];
  /** True: nothing more comes. */
  const read = (type: number, flags: number, payload: Buffer): boolean => {
    if (type === HEADERS) statuses.push(statusIn(payload));
    if (type === DATA) bodies.push(payload);
    return type === RST_STREAM || type === GOAWAY || ((type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0);
  };
  return {
    statuses: () => statuses,
    text: () => Buffer.concat(bodies).toString('latin1'),
    take(chunk: Buffer): boolean {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= FRAME_HEAD) {
        const length = pending.readUIntBE(0, 3);
        if (pending.length < FRAME_HEAD + length) return false;
        const over = read(pending.readUInt8(3), pending.readUInt8(4), pending.subarray(FRAME_HEAD, FRAME_HEAD + length));
        pending = pending.subarray(FRAME_HEAD + length);
        if (over) return true;
      }
      return false;
    },
  };
}

/** nginx writes it first, behind changes of the table's size. */
function statusIn(payload: Buffer): number {
  let at = 0;
  while (((payload[at] ?? 0) & 0xe0) === 0x20) {
    // A number that does not fit into five bits goes on while the high bit is set.
    if (((payload[at] ?? 0) & 0x1f) === 0x1f) while (((payload[++at] ?? 0) & 0x80) !== 0);
    at += 1;
  }
  const first = payload[at] ?? 0;
  return INDEXED_STATUS.get(first) ?? Number(payload.subarray(at + 2, at + 5).toString('latin1'));
}
