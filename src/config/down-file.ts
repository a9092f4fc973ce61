// How a server is marked as down: by a file, which nginx, the service proxy and the relay look at.
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { StatePaths } from './state-dir.ts';

/** By the member's id or the server's address, so that two configurations in a reload mean the same file. */
export function memberName(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 12);
}

/** While this file exists, the server gets no requests. */
export function downFile(paths: Pick<StatePaths, 'memberSockets'>, server: string): string {
  return join(paths.memberSockets, `down-${memberName(server)}`);
}
