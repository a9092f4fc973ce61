// The TCP listeners of the control plane, forward proxy and metrics: a reload opens the new ones before it changes anything.
import type { Config } from '../config/config.ts';
import type { ForwardProxy, Prepared } from '../proxies/forward/forward.ts';
import type { Metered } from './gateway-metrics.ts';

export interface Listeners {
  readonly forward: Pick<ForwardProxy, 'prepare'>;
  readonly metered: Pick<Metered, 'prepare'>;
}

/** Rejects where one of them cannot listen; none has changed then. */
export async function prepareListeners({ forward, metered }: Listeners, { forwardProxy, metrics }: Config): Promise<Prepared> {
  const proxy = await forward.prepare(forwardProxy?.listen ?? null);
  const scrapes = await metered.prepare(metrics).catch((error: unknown) => {
    proxy.discard();
    throw error;
  });
  return {
    commit() {
      proxy.commit();
      scrapes.commit();
    },
    discard() {
      proxy.discard();
      scrapes.discard();
    },
  };
}
