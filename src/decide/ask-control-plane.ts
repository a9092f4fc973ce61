// The command line asks the control plane of the same state directory, over its admin socket.
import { request } from 'node:http';

/** `away`: nobody answers: not running, restarting, or stuck. */
export type Asked = 'done' | 'refused' | 'away';

export function askControlPlane(socketPath: string, action: '/sync' | '/reread-secrets', timeoutMs = 5000): Promise<Asked> {
  return new Promise((resolve) => {
    const call = request({ socketPath, method: 'POST', path: action, timeout: timeoutMs }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode === 204 ? 'done' : 'refused'));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve('away'));
    call.end();
  });
}
