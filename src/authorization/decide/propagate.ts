// After a security change by the command line: returns when no cached decision and no open socket still uses the old state.
import type { StatePaths } from '../../config/state-dir.ts';
import { type Asked, askControlPlane } from './ask-control-plane.ts';
import { type Pause, sweepDecisions } from './sweep.ts';

/**
 * Asks the control plane to read the change number and to decide its sockets again. Sweeps the cache in any case, so that the change takes
 * effect without a control plane. Throws when it cannot sweep the cache (of another user).
 * `refused`: the control plane failed, and open sockets are unchanged. `away`: no control plane runs; the next one starts with the change.
 */
export async function propagate(paths: Pick<StatePaths, 'adminSocket' | 'decisionCache'>, pause?: Pause): Promise<Asked> {
  const reached = await askControlPlane(paths.adminSocket, '/sync');
  await sweepDecisions(paths.decisionCache, pause);
  return reached;
}
