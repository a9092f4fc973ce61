// The conversation of two supervisors of one state directory: the new one asks `yield`, gets `yielded` or `no`, and says `taken` when it is ready.
// If the connection ends before `taken`, the former one remains. It ends the connection when it has ended itself.
import { connect, createServer, type Socket } from 'node:net';
import { LictorError } from '../../contract/error.ts';
import { listenUnder } from './listen-under.ts';

export interface Successions {
  /** Rejects with the reason if it cannot. */
  yield(): Promise<void>;
  resume(): void;
  taken(): void;
}

export interface HandoverListener {
  /** The successor is refused after all. */
  drop(): void;
  close(): void;
}

/** One at a time. Only the same user can connect. */
export async function listenForSuccessor(path: string, successions: Successions): Promise<HandoverListener> {
  let present: Socket | undefined;
  const server = createServer((socket) => {
    present = socket;
    void serve(socket, successions);
  });
  server.maxConnections = 1;
  await listenUnder(path, server);
  return { drop: () => present?.destroy(), close: () => void server.close() };
}

async function serve(socket: Socket, successions: Successions): Promise<void> {
  const words = wordsOf(socket);
  // Its end says to the successor that this process has ended.
  socket.unref();
  if ((await words.next()) !== 'yield') return void socket.destroy();
  const reason = await successions.yield().then(
    () => undefined,
    (error: unknown) => (error instanceof LictorError ? error.message : String(error)),
  );
  socket.write(reason === undefined ? 'yielded\n' : `no ${reason}\n`);
  if (reason !== undefined) return;
  if ((await words.next()) === 'taken') successions.taken();
  else successions.resume();
}

export interface Predecessor {
  /** This one is ready, and the predecessor ends. */
  taken(): void;
  /** The predecessor remains. */
  leave(): void;
  /** It has ended, or dropped this one. */
  readonly ended: Promise<void>;
}

/** Throws `replace-refused`. */
export async function askToYield(path: string): Promise<Predecessor> {
  const socket = connect(path);
  const words = wordsOf(socket);
  socket.write('yield\n');
  const answer = await words.next();
  if (answer !== 'yielded') {
    socket.destroy();
    const why = answer?.replace(/^no /, '') ?? 'it does not answer: it is of a release without --replace, or has just ended';
    throw new LictorError('replace-refused', `The running lictor remains: ${why}. Stop it, then start lictor up, or try again.`);
  }
  return { taken: () => void socket.write('taken\n'), leave: () => socket.destroy(), ended: words.ended };
}

/** Lines of one connection. Undefined: it has ended. */
function wordsOf(socket: Socket) {
  const lines: string[] = [];
  let text = '';
  let isOver = false;
  let wake = Promise.withResolvers<void>();
  const notify = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };
  socket.setEncoding('utf8');
  socket.on('data', (data) => {
    const parts = `${text}${String(data)}`.split('\n');
    text = parts.pop() ?? '';
    lines.push(...parts);
    notify();
  });
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isOver = true;
      notify();
      resolve();
    });
  });
  return {
    ended,
    async next(): Promise<string | undefined> {
      while (lines.length === 0 && !isOver) await wake.promise;
      return lines.shift();
    },
  };
}
