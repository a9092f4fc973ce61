// In which order the servers of a service are asked: by weight, those that are down left out, backups last. As nginx does for calls.
import type { Service, ServiceServer } from '../../config/service.ts';

export type ChooseServers = (service: Service) => readonly ServiceServer[];

export interface ChooseParts {
  readonly isDown: (service: Service, server: ServiceServer) => boolean;
  /** Sockets that lead there now. */
  readonly openAt: (service: Service, server: ServiceServer) => number;
}

export function createChooseServers(parts: ChooseParts): ChooseServers {
  const turns = new Map<string, number>();
  return (service) => {
    const up = service.servers.filter((server) => !parts.isDown(service, server));
    const [usual, backups] = [up.filter(({ backup }) => !backup), up.filter(({ backup }) => backup)];
    const inOrder = (servers: readonly ServiceServer[]): readonly ServiceServer[] =>
      service.balance === 'least_connections' ? byFewest(service, servers, parts) : byTurn(service, servers, turns);
    // The turn of a backup comes only with a socket that none of the others takes.
    return [...inOrder(usual), ...backups];
  };
}

/** nginx's smooth way: everybody gains their weight, who has most is first and pays for all. */
function byTurn({ name }: Service, servers: readonly ServiceServer[], turns: Map<string, number>): readonly ServiceServer[] {
  const keyOf = ({ origin }: ServiceServer): string => `${name} ${origin}`;
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
