// After a security change by the command line: returns when no cached decision and no open socket outlives it.
import type { StatePaths } from '../../config/state-dir.ts';
import { type Asked, askControlPlane } from './ask-control-plane.ts';
import { type Pause, sweepDecisions } from './sweep.ts';

/**
 * Asks the control plane to read the change number and to re-check its sockets; sweeps the cache in any case, so that
 * the change holds also while the control plane is dead. Throws when the cache cannot be swept (another user's).
 * `refused`: it hangs, or could not do it: open sockets were not reached. `away`: there is none, and it starts with the change.
 */
export async function propagate(paths: Pick<StatePaths, 'adminSocket' | 'decisionCache'>, pause?: Pause): Promise<Asked> {
  const reached = await askControlPlane(paths.adminSocket, '/sync');
  await sweepDecisions(paths.decisionCache, pause);
  return reached;
}
