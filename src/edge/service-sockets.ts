// The servers of services as nginx has them, for whoever goes there beside it: which are marked as down, and as whom each is met.
import { existsSync } from 'node:fs';
import type { Service, ServiceServer } from '../config/service.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { downFile } from './balancer.ts';
import { hasMembers, isLookedAfter, memberId } from './render-service-members.ts';

export function knownServers(paths: StatePaths) {
  return {
    isDown: (service: Service, server: ServiceServer): boolean => isLookedAfter(service) && existsSync(downFile(paths, memberId(service, server))),
    hostOf: (service: Service, server: ServiceServer): string => new URL((hasMembers(service) ? server : (service.servers[0] ?? server)).origin).host,
  };
}
