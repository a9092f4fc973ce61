// Memory of a control plane without garbage: the inspector of its process collects it first.
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Gateway } from '../../env/gateway.ts';
import { waitFor } from '../../env/process.ts';

/** MiB: of the main thread's heap, of buffers and other memory outside it, and of the whole process. */
export interface Kept {
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
}

export interface Collector {
  /** Collects garbage and answers what is left. */
  collect(): Promise<Kept>;
  close(): void;
}

/** The environment of a gateway whose control plane is asked: each one opens another port. */
export const INSPECTABLE = { NODE_OPTIONS: '--inspect-port=127.0.0.1:0' };

/** The control plane opens its inspector on SIGUSR1, and prints the address. */
export async function collectorOf(gateway: Gateway): Promise<Collector> {
  process.kill(gateway.pids().control, 'SIGUSR1');
  const found = (): string | undefined => /ws:\/\/127\.0\.0\.1:\d+\/[0-9a-f-]+/.exec(gateway.terminal())?.[0];
  await waitFor(() => found() !== undefined, { what: 'the inspector to listen', timeoutMs: 30_000, everyMs: 200 });
  const socket = new WebSocket(found() ?? '');
  await once(socket, 'open');
  let last = 0;
  const ask = (method: string, params = {}): Promise<unknown> => {
    last += 1;
    const id = last;
    return new Promise((resolve, reject) => {
      const listen = (data: unknown): void => {
        const answer: { id?: number; result?: unknown } = JSON.parse(String(data));
        if (answer.id !== id) return;
        socket.off('message', listen);
        resolve(answer.result);
      };
      socket.on('message', listen);
      socket.once('close', () => reject(new Error('the inspector has closed')));
      socket.send(JSON.stringify({ id, method, params }));
    });
  };
  return {
    async collect() {
      // The second round frees what finalizers of the first let go.
      for (let round = 0; round < 2; round += 1) await ask('HeapProfiler.collectGarbage');
      const expression = 'JSON.stringify(process.memoryUsage())';
      const { result } = (await ask('Runtime.evaluate', { expression })) as { result: { value: string } };
      const { heapUsed, external, rss }: NodeJS.MemoryUsage = JSON.parse(result.value);
      return { heap: heapUsed / 1_048_576, external: external / 1_048_576, resident: rss / 1_048_576 };
    },
    close: () => socket.close(),
  };
}
