// What nginx shows the control plane with each request: made at each start of the gateway, and rendered where nginx's master alone reads it.
// It stands in the runtime directory, in memory, so that a gateway starts on a full disk too.
import { rmSync } from 'node:fs';
import type { StatePaths } from '../config/state-dir.ts';
import { openSecretKey } from './secret-key.ts';

/** The value of the EDGE_SECRET header. The first call after a start makes it: reloads and a control plane that is started again get the same one. */
export function openEdgeSecret({ edgeSecret }: Pick<StatePaths, 'edgeSecret'>): string {
  return openSecretKey(edgeSecret, 'restart lictor up after that').toString('base64url');
}

/** For the supervisor, while neither nginx nor the control plane runs. */
export function forgetEdgeSecret({ edgeSecret }: Pick<StatePaths, 'edgeSecret'>): void {
  rmSync(edgeSecret, { force: true });
}
