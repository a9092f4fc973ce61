// Hostile requests: bytes straight into a TCP or TLS connection, and whatever comes back.
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawAnswer {
  /** Everything that came back, byte by byte as Latin-1. */
  readonly text: string;
  /** The status of every response in it. */
  readonly statuses: readonly number[];
  /** True when the other side closed the connection before the deadline. */
  readonly closed: boolean;
}

/** An answer on a busy machine: only who waits for none waits this long. */
const PATIENCE_MS = 20_000;

/** Sends bytes (a string is Latin-1), reads until the other side closes or `deadlineMs` is over, which begin when `since` resolves. */
export function rawRequest(port: number, bytes: string | Buffer, deadlineMs = PATIENCE_MS, since: Promise<void> = Promise.resolve()): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  return exchange({ socket, ready: 'connect', bytes, deadlineMs, since });
}

/** The same over TLS with HTTP/1.1, with any certificate. */
export function rawTlsRequest(port: number, bytes: string | Buffer, deadlineMs = PATIENCE_MS): Promise<RawAnswer> {
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] });
  return exchange({ socket, ready: 'secureConnect', bytes, deadlineMs, since: Promise.resolve() });
}

/** The same from another address of loopback. */
export function rawRequestFrom(localAddress: string, port: number, bytes: string): Promise<RawAnswer> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  return exchange({ socket, ready: 'connect', bytes, deadlineMs: PATIENCE_MS, since: Promise.resolve() });
}

/** One request with `Connection: close`; lines without their CRLF. The body is Latin-1. */
export function request(port: number, lines: readonly string[], body = ''): Promise<RawAnswer> {
  return rawRequest(port, `${[...lines, 'Connection: close', '', ''].join('\r\n')}${body}`);
}

interface Exchange {
  readonly socket: Socket;
  /** The event after which it takes bytes. */
  readonly ready: string;
  readonly bytes: string | Buffer;
  readonly deadlineMs: number;
  readonly since: Promise<void>;
}

function exchange({ socket, ready, bytes, deadlineMs, since }: Exchange): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let timer: NodeJS.Timeout | undefined;
    const end = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      resolve({ text, statuses: [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map((match) => Number(match[1])), closed });
    };
    void since.then(() => {
      timer = setTimeout(() => end(false), deadlineMs);
    });
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('end', () => end(true));
    socket.once('error', () => end(true));
    socket.once(ready, () => socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes));
  });
}
