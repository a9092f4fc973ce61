// After a security change by the command line: returns when no cached decision and no open socket outlives it.
import type { StatePaths } from '../config/state-dir.ts';
import { askControlPlane } from './ask-control-plane.ts';
import { sweepDecisions } from './sweep.ts';

export type Propagated = 'control-plane' | 'cache-only';

/**
 * Asks the control plane to read the change number and to re-check its sockets; sweeps the cache in any case, so that
 * the change holds also while the control plane is dead. Throws when the cache cannot be swept (another user's).
 */
export async function propagate(paths: Pick<StatePaths, 'adminSocket' | 'decisionCache'>): Promise<Propagated> {
  // One that does not answer reads the change number itself when it comes back.
  const told = (await askControlPlane(paths.adminSocket, '/sync')) === 'done';
  await sweepDecisions(paths.decisionCache);
  return told ? 'control-plane' : 'cache-only';
}
