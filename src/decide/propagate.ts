// After a security change by the command line: returns when no cached decision and no open socket outlives it.
import { request } from 'node:http';
import type { StatePaths } from '../config/state-dir.ts';
import { sweepDecisions } from './sweep.ts';

export type Propagated = 'control-plane' | 'cache-only';

/**
 * Asks the control plane to read the change number and to re-check its sockets; sweeps the cache in any case, so that
 * the change holds also while the control plane is dead. Throws when the cache cannot be swept (another user's).
 */
export async function propagate(paths: Pick<StatePaths, 'adminSocket' | 'decisionCache'>): Promise<Propagated> {
  const told = await tellControlPlane(paths.adminSocket);
  await sweepDecisions(paths.decisionCache);
  return told ? 'control-plane' : 'cache-only';
}

/** False when nobody answers: not running, restarting, or stuck. It reads the change number itself when it comes back. */
function tellControlPlane(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const call = request({ socketPath, method: 'POST', path: '/sync', timeout: 5000 }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode === 204));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(false));
    call.end();
  });
}
