// The listeners of the control plane that some configurations need: a reload opens the new ones before it changes anything.
import type { Config } from '../config/config.ts';
import type { ServiceProxyThread } from '../edge/http/service-proxy.ts';
import type { ForwardProxy, Prepared } from '../proxies/forward/forward.ts';
import type { Metered } from './gateway-metrics.ts';

export interface Listeners {
  readonly forward: Pick<ForwardProxy, 'prepare'>;
  readonly metered: Pick<Metered, 'prepare'>;
  readonly serviceProxy: Pick<ServiceProxyThread, 'prepare'>;
}

/** Rejects if one of them cannot listen; then none has changed. `former`: of the control plane before this one, which listens there too. */
export async function prepareListeners({ forward, metered, serviceProxy }: Listeners, config: Config, former: Config | null = null): Promise<Prepared> {
  const { forwardProxy, metrics } = config;
  await serviceProxy.prepare(config);
  const proxy = await forward.prepare(forwardProxy?.listen ?? null, isSame(forwardProxy?.listen, former?.forwardProxy?.listen));
  const scrapes = await metered.prepare(metrics, isSame(metrics, former?.metrics)).catch((error: unknown) => {
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

function isSame(listen: object | null | undefined, former: object | null | undefined): boolean {
  return JSON.stringify(listen ?? null) === JSON.stringify(former ?? null);
}
