// A file marks a server as down. nginx, the service proxy and the relay check for it.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { StatePaths } from './state-dir.ts';

/** The name derives from the member's id or the server's address: during a reload, both configurations use the same file. */
export function memberName(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 12);
}

/** While the file exists, the server gets no requests. */
export function downFile(paths: Pick<StatePaths, 'memberSockets'>, server: string): string {
  return join(paths.memberSockets, `down-${memberName(server)}`);
}
