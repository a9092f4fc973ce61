// One HTTP/1.1 connection that is cheap for its sender: a request as text, then the status, the request id and the end of its answer. Opened anew when it breaks.
import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  /** `X-Request-Id`. */
  readonly id: string;
  readonly retryAfter: string | undefined;
}

export interface Connection {
  /** Nothing is under way on it. */
  isFree(): boolean;
  /** Calls `onEnd` once: with the whole answer, or with undefined if the connection broke before. */
  send(text: string, onEnd: (answer: Answer | undefined) => void): void;
  close(): void;
}

export function createConnection(port: number): Connection {
  let socket: Socket | undefined;
  let onEnd: ((answer: Answer | undefined) => void) | undefined;
  let received = '';

  function finish(answer: Answer | undefined): void {
    const told = onEnd;
    onEnd = undefined;
    received = '';
    told?.(answer);
  }

  function open(): Socket {
    const fresh = connect(port, '127.0.0.1');
    fresh.setNoDelay(true);
    fresh.on('data', (bytes) => {
      received += bytes.toString('latin1');
      const answer = wholeAnswer(received);
      if (answer === undefined) return;
      if (answer.closes) drop(fresh);
      finish(answer);
    });
    fresh.on('error', () => undefined); // the following close reports it
    fresh.on('close', () => {
      if (socket !== fresh) return;
      socket = undefined;
      finish(undefined);
    });
    return fresh;
  }

  function drop(former: Socket): void {
    if (socket === former) socket = undefined;
    former.destroy();
  }

  return {
    isFree: () => onEnd === undefined,
    send(text, told) {
      onEnd = told;
      socket ??= open();
      socket.write(text);
    },
    close: () => socket?.destroy(),
  };
}

/** Undefined: more of it is to come. */
function wholeAnswer(text: string): (Answer & { readonly closes: boolean }) | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const head = text.slice(0, end);
  const header = (name: string) => new RegExp(`\r\n${name}: *([^\r\n]*)`, 'i').exec(head)?.[1];
  const length = header('content-length');
  const body = text.slice(end + 4);
  const isWhole = length === undefined ? body.endsWith('0\r\n\r\n') || header('transfer-encoding') === undefined : body.length >= Number(length);
  if (!isWhole) return undefined;
  return {
    status: Number(head.slice(9, 12)),
    id: header('x-request-id') ?? '',
    retryAfter: header('retry-after'),
    closes: header('connection')?.toLowerCase() === 'close',
  };
}
