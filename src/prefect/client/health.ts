// Active health of several servers: who is away gets no requests until it answers again. Nothing is reloaded for it.
import { setTimeout as wait } from 'node:timers/promises';

/** `refuses`: it is there, and does not take our credential. `slow`: it took the question, and gave no answer in time. */
export type Health = 'usable' | 'refuses' | 'slow' | 'away';

export interface ServersHealth {
  /** Those that answer us; all of them while none does, so that the first one back is found at once. */
  usable(): readonly string[];
  stop(): Promise<void>;
}

export interface HealthOptions {
  readonly servers: readonly string[];
  /** It must end by itself within the interval or two; one that fails is a server that is away. */
  readonly probe: (server: string) => Promise<Health>;
  /** Called for every change, in order. */
  readonly onChange: (server: string, health: Health) => void;
  /** How each is taken to be before it was asked. Default: usable. */
  readonly initial?: (server: string) => Health;
  readonly intervalMs?: number;
  /** So many other answers in a row change what a server is taken to be. */
  readonly answers?: (seen: Health) => number;
}

interface Member {
  readonly server: string;
  health: Health;
  streak: number;
}

/** Each is probed on its own: a hanging one does not delay the others. */
export function watchServers({ servers, probe, onChange, initial = () => 'usable', intervalMs = 500, answers = () => 2 }: HealthOptions): ServersHealth {
  const members = servers.map((server): Member => ({ server, health: initial(server), streak: 0 }));
  const stopping = new AbortController();
  const look = async (member: Member): Promise<void> => {
    const seen = await probe(member.server).catch((): Health => 'away');
    if (stopping.signal.aborted) return;
    member.streak = seen === member.health ? 0 : member.streak + 1;
    if (member.streak < answers(seen)) return;
    member.health = seen;
    member.streak = 0;
    onChange(member.server, seen);
  };
  const loop = async (member: Member): Promise<void> => {
    while (!stopping.signal.aborted) {
      await look(member);
      await wait(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined); // stopped
    }
  };
  const loops = members.map(loop);
  return {
    usable() {
      const up = members.filter(({ health }) => health === 'usable').map(({ server }) => server);
      return up.length > 0 ? up : servers;
    },
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}
