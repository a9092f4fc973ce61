// The order in which the servers of a service are tried: by weight, without those that are down, backups last. As nginx does for plain services.
import { createHash } from 'node:crypto';
import type { Service, ServiceServer } from '../../config/service.ts';
import { serverId } from '../../config/service-way.ts';

/** `caller` is the principal: `hash_by_run` gives it the same server each time. */
export type ChooseServers = (service: Service, caller?: string) => readonly ServiceServer[];

export interface ChooseParts {
  readonly isDown: (service: Service, server: ServiceServer) => boolean;
  /** Its open calls or sockets. */
  readonly openAt: (service: Service, server: ServiceServer) => number;
}

export function createChooseServers(parts: ChooseParts): ChooseServers {
  const turns = new Map<string, number>();
  return (service, caller = '') => {
    const up = service.servers.filter((server) => !parts.isDown(service, server));
    const [usual, backups] = [up.filter(({ backup }) => !backup), up.filter(({ backup }) => backup)];
    const ways = {
      round_robin: () => byTurn(service, usual, turns),
      least_connections: () => byFewest(service, usual, parts),
      hash_by_run: () => byCaller(caller, usual),
    };
    // A backup is tried only if no other server accepts the call.
    return [...ways[service.balance](), ...backups];
  };
}

/** nginx's smooth weighted round robin: each server gains its weight. The one with the most is first and pays the total. */
function byTurn(service: Service, servers: readonly ServiceServer[], turns: Map<string, number>): readonly ServiceServer[] {
  const keyOf = (server: ServiceServer): string => serverId(service, server);
  const gained = (server: ServiceServer): number => turns.get(keyOf(server)) ?? 0;
  for (const server of servers) turns.set(keyOf(server), gained(server) + server.weight);
  const inOrder = servers.toSorted((one, other) => gained(other) - gained(one));
  const [first] = inOrder;
  if (first !== undefined) turns.set(keyOf(first), gained(first) - servers.reduce((sum, { weight }) => sum + weight, 0));
  return inOrder;
}

function byFewest(service: Service, servers: readonly ServiceServer[], { openAt }: ChooseParts): readonly ServiceServer[] {
  const load = new Map(servers.map((server) => [server, (openAt(service, server) + 1) / server.weight]));
  return servers.toSorted((one, other) => (load.get(one) ?? 0) - (load.get(other) ?? 0));
}

/** Weighted rendezvous hashing: if a server is added or removed, only its own callers move. */
function byCaller(caller: string, servers: readonly ServiceServer[]): readonly ServiceServer[] {
  const score = ({ origin, weight }: ServiceServer): number => {
    const hash = createHash('sha256').update(`${caller}\n${origin}`).digest().readUIntBE(0, 6);
    return -weight / Math.log((hash + 1) / (2 ** 48 + 1));
  };
  const scores = new Map(servers.map((server) => [server, score(server)]));
  return servers.toSorted((one, other) => (scores.get(other) ?? 0) - (scores.get(one) ?? 0));
}
