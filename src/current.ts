// The rooms in use, behind sockets that stay: a reload swaps them in one step.
import type { Answerer } from './decide/answer.ts';
import type { ForwardParts } from './forward/parts.ts';
import { createLookup } from './prefect/lookup.ts';
import type { RelayParts } from './relay/parts.ts';
import type { Rooms } from './rooms.ts';
import type { Makers } from './store/makers.ts';

export interface Current {
  get(): Rooms;
  /** From this call on everything is answered by `next`. Answers the former rooms, whose requests still end there. */
  swap(next: Rooms): Rooms;
}

export function createCurrent(first: Rooms): Current {
  let rooms = first;
  return {
    get: () => rooms,
    swap(next) {
      const former = rooms;
      rooms = next;
      return former;
    },
  };
}

/** An answer that was computed while the rooms were swapped is computed again: no decision of the former ones leaves after the swap. */
export function currentAnswerer(current: Current): Answerer {
  return {
    async answer(inputs) {
      for (;;) {
        const rooms = current.get();
        const answer = await rooms.answerer.answer(inputs);
        if (rooms === current.get()) return answer;
      }
    },
    forget: () => current.get().answerer.forget(),
  };
}

/** For the relay, whose sockets outlive a reload: each is decided again by the rooms in use (`recheck`). */
export function currentForRelay(
  current: Current,
  makers: Pick<Makers, 'madeBy'>,
): Pick<RelayParts, 'decider' | 'upstream' | 'reachOf' | 'learnKin' | 'eventTags'> {
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
    learnKin: (events, own) => current.get().learnKin(events, own),
    eventTags: (events, sender) => current.get().eventTags(events, sender),
    reachOf: ({ restriction, principal: { id: who } }) => {
      const { upstream } = current.get();
      return restriction === null ? null : { scopes: restriction, who, lookup: createLookup(upstream), made: (type) => makers.madeBy(who, type) };
    },
  };
}

/** For the forward proxy, whose connections outlive a reload like sockets. */
export function currentForForward(current: Current): Pick<ForwardParts, 'connects' | 'revision' | 'failClosed' | 'avoid'> {
  return {
    connects: {
      async authorize(inputs, destination) {
        for (;;) {
          const rooms = current.get();
          const answer = await rooms.services.connects.authorize(inputs, destination);
          if (rooms === current.get()) return answer;
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
