// Starts, updates and stops the service proxy, a thread with a separate socket.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { heapMib } from '../../config/machine.ts';
import { goesThroughProxy } from '../../config/service-way.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import type { FromProxy, ProxyConfig, ProxySetup, ToProxy } from './service-proxy-thread.ts';

export interface ServiceProxyThread {
  /** Starts the thread if a service needs it. Resolves when nginx can connect. Rejects if the thread cannot listen. */
  prepare(config: ProxyConfig): Promise<void>;
  /** Replaces all services. Open calls end with their former settings. */
  use(config: ProxyConfig): void;
  /** Open calls get some seconds to end. */
  close(): Promise<void>;
}

export interface ServiceProxyThreadParts {
  readonly paths: StatePaths;
  readonly edgeSecret: string;
  /** At once. */
  readonly mostCalls: number;
  readonly log: Readonly<Record<'warn' | 'error', (fields: object, text: string) => void>>;
}

const AGAIN_MS = 500;
/** Without bodies, which have separate bounds (src/proxies/egress/proxy/service-proxy.ts). */
const HEAP_MIB = 512;

/** The thread starts with the first service that needs it, and then stays. */
export function openServiceProxy({ paths, edgeSecret, mostCalls, log }: ServiceProxyThreadParts): ServiceProxyThread {
  let closing = false;
  let worker: Worker | undefined;
  let config: ProxyConfig;
  const spawn = (): Worker => {
    const setup: ProxySetup = {
      paths: { proxySocket: paths.proxySocket, memberSockets: paths.memberSockets },
      edgeSecret,
      config,
      mostCalls,
    };
    const thread = new Worker(new URL('./service-proxy-thread.ts', import.meta.url), {
      workerData: setup,
      name: 'service-proxy',
      resourceLimits: { maxOldGenerationSizeMb: heapMib(HEAP_MIB) },
    });
    thread.on('message', (message: FromProxy) => {
      if (message.kind === 'warn') log.warn(message.fields, message.text);
    });
    thread.on('error', (error) => log.error({ err: error }, 'the service proxy failed'));
    thread.once('exit', () => {
      if (!closing) setTimeout(() => !closing && again(), AGAIN_MS).unref();
    });
    return thread;
  };
  const again = (): void => {
    worker = spawn();
  };
  return {
    async prepare(next) {
      if (worker !== undefined || !next.services.some(goesThroughProxy)) return;
      config = only(next);
      worker = spawn();
      await isListening(worker);
    },
    use(next) {
      config = only(next);
      worker?.postMessage({ kind: 'use', config } satisfies ToProxy);
    },
    async close() {
      closing = true;
      if (worker === undefined || worker.threadId === -1) return;
      const ended = once(worker, 'exit');
      worker.postMessage({ kind: 'close' } satisfies ToProxy);
      await ended;
    },
  };
}

/** The only parts of the configuration that the thread gets. */
function only({ services, forwardHeaders }: ProxyConfig): ProxyConfig {
  return { services, forwardHeaders };
}

async function isListening(worker: Worker): Promise<void> {
  const listening = new Promise<void>((resolve) => {
    worker.on('message', (message: FromProxy) => message.kind === 'listening' && resolve());
  });
  const ended = once(worker, 'exit').then(() => {
    throw new Error('the thread of the service proxy ended before it listened');
  });
  await Promise.race([listening, ended]);
  ended.catch(() => undefined);
}
