// What nginx shows the control plane with each request: made at the first start, and rendered where nginx's master alone reads it.
//
// It stays the same over starts: with another one the configuration of nginx would be another one too, and a full disk has no room to write it.
import type { StatePaths } from '../state-dir.ts';
import { openSecretKey } from './secret-key.ts';

/** The value of the EDGE_SECRET header. To replace it, remove the file and start the gateway again. */
export function openEdgeSecret({ edgeSecret }: Pick<StatePaths, 'edgeSecret'>): string {
  return openSecretKey(edgeSecret, 'restart lictor up after that').toString('base64url');
}
