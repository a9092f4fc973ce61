// The servers of services for the relay: which are marked as down, and the `Host` of each.
import { existsSync } from 'node:fs';
import { downFile } from '../../config/down-file.ts';
import type { Service, ServiceServer } from '../../config/service.ts';
import { hostOf, isHealthChecked, serverId } from '../../config/service-way.ts';
import type { StatePaths } from '../../config/state-dir.ts';

export function knownServers(paths: StatePaths) {
  return {
    isDown: (service: Service, server: ServiceServer): boolean => isHealthChecked(service) && existsSync(downFile(paths, serverId(service, server))),
    hostOf,
  };
}
