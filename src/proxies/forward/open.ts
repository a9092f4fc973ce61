// The forward proxy on the system's network. Only tests have another network.
import { LictorError } from '../../contract/error.ts';
import { createForwardProxy, type ForwardProxy } from './forward.ts';
import { systemNetwork } from './network.ts';
import type { ForwardParts } from './parts.ts';

/** `prepare` rejects with LictorError `forward-proxy-taken` if it cannot listen. */
export function openForward(parts: Omit<ForwardParts, 'network' | 'limits'>): ForwardProxy {
  const proxy = createForwardProxy({ ...parts, network: systemNetwork() });
  return {
    ...proxy,
    prepare: (listen, isPassed) =>
      proxy.prepare(listen, isPassed).catch((cause: unknown) => {
        if (cause instanceof LictorError) throw cause;
        const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
        throw new LictorError('forward-proxy-taken', `forward_proxy.listen: ${listen?.host}:${listen?.port} cannot be listened on (${why})`, { cause });
      }),
  };
}
