// Active health checks of several servers: a server that is away gets no requests until it answers again. This needs no reload.
import { setTimeout as wait } from 'node:timers/promises';

/** `refuses`: the server rejects our credential. `slow`: it accepted the request and did not answer in time. */
export type Health = 'usable' | 'refuses' | 'slow' | 'away';

export interface ServersHealth {
  /** The servers that answer. All servers while none answers, so that Lictor finds the first one that returns at once. */
  usable(): readonly string[];
  stop(): Promise<void>;
}

export interface HealthOptions {
  readonly servers: readonly string[];
  /** It must end within an interval or two. If it rejects, the server is away. */
  readonly probe: (server: string) => Promise<Health>;
  /** Called for every change, in order. */
  readonly onChange: (server: string, health: Health) => void;
  /** The health before the first probe. Default: usable. */
  readonly initial?: (server: string) => Health;
  readonly intervalMs?: number;
  /** The number of equal results in a row that change the health. */
  readonly answers?: (seen: Health) => number;
}

interface Member {
  readonly server: string;
  health: Health;
  streak: number;
}

/** Probes each server separately: a server that hangs does not delay the others. */
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
