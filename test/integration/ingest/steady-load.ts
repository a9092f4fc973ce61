// So many requests a second as exactly as a busy machine allows, at little cost for the sender: pipelined on a few connections.
import { connect, type Socket } from 'node:net';
import { waitFor } from '../../env/process.ts';

export interface SteadyLoad {
  sent(): number;
  answered(): number;
  /** Epoch milliseconds of the last answer. */
  lastAnswerMs(): number;
  /** Answers that were no 200. */
  others(): number;
  /** Sends no more; resolves when everything is answered. */
  stop(): Promise<void>;
}

const CONNECTIONS = 8;
const TICK_MS = 20;
/** A sender that falls behind does not make up for it in one burst. */
const MOST_AT_ONCE = 400;
const OK = /HTTP\/1\.1 200 /g;
const ANY = /HTTP\/1\.1 [0-9]{3} /g;

export async function startSteadyLoad(
  { port, host, token }: { readonly port: number; readonly host: string; readonly token: string },
  perSecond: number,
): Promise<SteadyLoad> {
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(port)));
  const startedMs = performance.now();
  let [sent, answered, ok, lastAnswerMs] = [0, 0, 0, Date.now()];
  for (const socket of sockets) {
    let rest = '';
    socket.on('data', (bytes) => {
      // A head may be cut in two; a body of the upstream below holds none.
      const text = rest + bytes.toString('latin1');
      rest = text.slice(text.lastIndexOf('\n') + 1);
      const whole = text.slice(0, text.length - rest.length);
      answered += whole.match(ANY)?.length ?? 0;
      ok += whole.match(OK)?.length ?? 0;
      lastAnswerMs = Date.now();
    });
  }
  const requestText = (number: number): string =>
    `GET /api/flow_runs/00000000-0000-4000-8000-${(number % 97).toString(16).padStart(12, '0')} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${token}\r\n\r\n`;

  const timer = setInterval(() => {
    const due = Math.min(((performance.now() - startedMs) / 1000) * perSecond - sent, MOST_AT_ONCE);
    if (due < 1) return;
    const share = Math.ceil(due / CONNECTIONS);
    for (const socket of sockets) {
      socket.write(Array.from({ length: share }, (_, index) => requestText(sent + index)).join(''));
      sent += share;
    }
  }, TICK_MS);

  return {
    sent: () => sent,
    answered: () => answered,
    lastAnswerMs: () => lastAnswerMs,
    others: () => answered - ok,
    async stop() {
      clearInterval(timer);
      await waitFor(() => answered >= sent, { what: 'the last answers', timeoutMs: 60_000 });
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await new Promise<void>((resolve, reject) => void socket.once('connect', resolve).once('error', reject));
  return socket;
}
