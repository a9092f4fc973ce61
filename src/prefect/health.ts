// Active health of several servers: who is away gets no requests until it answers again. Nothing is reloaded for it.
import { setTimeout as wait } from 'node:timers/promises';

export interface ServersHealth {
  /** Those that answer; all of them while none does, so that the first one back is found at once. */
  usable(): readonly string[];
  stop(): Promise<void>;
}

export interface HealthOptions {
  readonly servers: readonly string[];
  /** True when the server answers as a healthy one; it must end by itself within the interval or two. */
  readonly probe: (server: string) => Promise<boolean>;
  /** Called for every change, in order; `index` is the server's place in the list. */
  readonly onChange: (index: number, up: boolean) => void;
  readonly intervalMs?: number;
  /** Failures in a row until a server is out, successes in a row until it is back. */
  readonly failures?: number;
  readonly successes?: number;
}

interface Member {
  readonly server: string;
  readonly index: number;
  up: boolean;
  streak: number;
}

/** Every server starts as up. Each is probed on its own: a hanging one does not delay the others. */
export function watchServers({ servers, probe, onChange, intervalMs = 500, failures = 2, successes = 2 }: HealthOptions): ServersHealth {
  const members = servers.map((server, index): Member => ({ server, index, up: true, streak: 0 }));
  const stopping = new AbortController();
  const look = async (member: Member): Promise<void> => {
    const answered = await probe(member.server).catch(() => false); // a probe that fails is an unhealthy server
    if (stopping.signal.aborted) return;
    member.streak = answered === member.up ? 0 : member.streak + 1;
    if (member.streak < (member.up ? failures : successes)) return;
    member.up = answered;
    member.streak = 0;
    onChange(member.index, member.up);
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
      const up = members.filter((member) => member.up).map(({ server }) => server);
      return up.length > 0 ? up : servers;
    },
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}
