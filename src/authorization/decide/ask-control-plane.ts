// Requests of the command line to the control plane of the same state directory, over its admin socket.
import { request } from 'node:http';
import { isErrno } from '../../contract/errno.ts';
import { parseSharedStore, type SharedStore } from '../../contract/shared-store.ts';
import { parseWorkerChannels, type WorkerChannel } from '../../contract/worker-channel.ts';

/** `away`: the control plane is not running, or restarts. `refused`: also without an answer, and then it may have acted. */
export type Asked = 'done' | 'refused' | 'away';

export async function askControlPlane(socketPath: string, action: '/sync' | '/reread-secrets', timeoutMs = 5000): Promise<Asked> {
  const answer = await post({ socketPath, path: action, body: '', timeoutMs });
  if (answer === 'away') return 'away';
  return answer.status === 204 ? 'done' : 'refused';
}

/** The text of the answer. Undefined: refused, or no answer. */
export async function notifyControlPlane(
  socketPath: string,
  action: '/apply-policies',
  question: object,
  timeoutMs = 60_000,
): Promise<string | undefined | 'away'> {
  const answer = await post({ socketPath, path: action, body: JSON.stringify(question), timeoutMs });
  if (answer === 'away') return 'away';
  return answer.status === 200 ? answer.text : undefined;
}

/** The workers whose channels are open. Undefined: no answer. */
export async function askForWorkers(socketPath: string): Promise<readonly WorkerChannel[] | undefined | 'away'> {
  const answer = await post({ socketPath, path: '/workers', body: '', timeoutMs: 5_000 });
  if (answer === 'away') return 'away';
  return answer.status === 200 ? parseWorkerChannels(answer.text) : undefined;
}

/** The nodes that share the store. Null: there is only this one. Undefined: no answer. */
export async function askForNodes(socketPath: string): Promise<SharedStore | null | undefined | 'away'> {
  const answer = await post({ socketPath, path: '/nodes', body: '', timeoutMs: 5_000 });
  if (answer === 'away') return 'away';
  return answer.status === 200 ? parseSharedStore(answer.text) : undefined;
}

interface Call {
  readonly socketPath: string;
  readonly path: string;
  readonly body: string;
  readonly timeoutMs: number;
}

const NO_ANSWER = { status: undefined, text: '' };

function post({ socketPath, path, body, timeoutMs }: Call): Promise<{ readonly status: number | undefined; readonly text: string } | 'away'> {
  return new Promise((resolve) => {
    const call = request({ socketPath, method: 'POST', path, timeout: timeoutMs, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
      // After a broken connection there is no `end`.
      answer.on('close', () => resolve(NO_ANSWER));
    });
    call.on('timeout', () => call.destroy());
    call.on('error', (error) => resolve(isErrno(error, 'ECONNREFUSED', 'ENOENT', 'EACCES') ? 'away' : NO_ANSWER));
    call.end(body);
  });
}
