// The secret by which nginx authenticates each request to the control plane. Only nginx's master reads the rendered file.
//
// It stays the same after a restart: a new secret would change nginx's configuration, which a full disk could not store.
import type { StatePaths } from '../state-dir.ts';
import { openSecretKey } from './secret-key.ts';

/** The value of the EDGE_SECRET header. To replace it, remove the file and start the gateway again. */
export function openEdgeSecret({ edgeSecret }: Pick<StatePaths, 'edgeSecret'>): string {
  return openSecretKey(edgeSecret, 'restart lictor up after that').toString('base64url');
}
