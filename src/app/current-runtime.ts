// The runtime in use. Sockets stay open while a reload swaps it in one step.
import type { Answerer } from '../authorization/decide/answer.ts';
import { createLookup } from '../prefect/client/lookup.ts';
import type { ForwardParts } from '../proxies/forward/parts.ts';
import type { RelayParts } from '../proxies/relay/parts.ts';
import type { Makers } from '../store/makers.ts';
import type { Runtime } from './runtime.ts';

export interface CurrentRuntime {
  get(): Runtime;
  /** `next` answers every request from now on. Returns the former runtime, which finishes its own requests. */
  swap(next: Runtime): Runtime;
}

export function createCurrentRuntime(first: Runtime): CurrentRuntime {
  let runtime = first;
  return {
    get: () => runtime,
    swap(next) {
      const former = runtime;
      runtime = next;
      return former;
    },
  };
}

/** An answer that was computed during a swap is computed again: no decision of the former runtime leaves after the swap. */
export function currentAnswerer(current: CurrentRuntime): Answerer {
  return {
    async answer(inputs) {
      for (;;) {
        const runtime = current.get();
        const answer = await runtime.answerer.answer(inputs);
        if (runtime === current.get()) return answer;
      }
    },
    forget: () => current.get().answerer.forget(),
  };
}

/** For the relay, whose sockets outlive a reload: the runtime in use decides each of them again (`recheck`). */
export function currentForRelay(
  current: CurrentRuntime,
  makers: Pick<Makers, 'createdBy'>,
): Pick<RelayParts, 'decider' | 'upstream' | 'mustMediate' | 'scopeFilterOf' | 'recordLineage' | 'eventTags'> {
  return {
    decider: {
      authorize: (inputs, asks, frameToken) => current.get().decider.authorize(inputs, asks, frameToken),
      get revision() {
        return current.get().revision;
      },
    },
    upstream: {
      socketTarget: (path, attempt) => current.get().upstream.socketTarget(path, attempt),
      socketAuthorities: () => current.get().upstream.socketAuthorities(),
    },
    mustMediate: (principal, operation) => current.get().mustMediate(principal, operation),
    recordLineage: (events, own) => current.get().recordLineage(events, own),
    eventTags: (events, sender) => current.get().eventTags(events, sender),
    scopeFilterOf: ({ restrictions }) => {
      const { upstream } = current.get();
      if (restrictions.length === 0) return null;
      return { restrictions, lookup: createLookup(upstream), createdBy: (type, principalId) => makers.createdBy(principalId, type) };
    },
  };
}

/** For the forward proxy, whose connections outlive a reload like sockets. */
export function currentForForward(current: CurrentRuntime): Pick<ForwardParts, 'connects' | 'revision' | 'failClosed' | 'avoid'> {
  return {
    connects: {
      async authorize(inputs, destination) {
        for (;;) {
          const runtime = current.get();
          const answer = await runtime.services.connects.authorize(inputs, destination);
          if (runtime === current.get()) return answer;
        }
      },
    },
    revision: () => current.get().revision,
    failClosed: () => current.get().config.ledger.failClosed,
    avoid: () => {
      const { prefect, publicUrl } = current.get().config;
      return [publicUrl.hostname, ...prefect.servers.map((server) => new URL(server).hostname)];
    },
  };
}
