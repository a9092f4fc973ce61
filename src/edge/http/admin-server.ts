// The admin socket: the command line of the same user notifies the control plane of a change. Mode 0600.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type PolicyOutcome, type PolicyRequest, parsePolicyRequest } from '../../contract/policy-outcome.ts';
import type { SharedStore } from '../../contract/shared-store.ts';
import type { WorkerChannel } from '../../contract/worker-channel.ts';

export interface AdminActions {
  /** Reads the change number, sweeps the cache, checks sockets again. Resolves when the change is in force everywhere. */
  sync(): Promise<void>;
  /** Reads the secrets of the current configuration again and applies them. Rejects if that fails. */
  rereadSecrets(): Promise<void>;
  /** Applies the own policies that are on the disk now. */
  applyPolicies(request: PolicyRequest): Promise<PolicyOutcome>;
  /** The workers whose channels are open. */
  workers(): readonly WorkerChannel[];
  /** Null: no other node can use the store. */
  sharedStore(): SharedStore | null;
}

/** The answer. Undefined: without a body. */
type Action = (actions: AdminActions, body: string) => Promise<object | undefined>;

const ACTIONS: Readonly<Record<string, Action>> = {
  '/sync': async (actions) => void (await actions.sync()),
  '/reread-secrets': async (actions) => void (await actions.rereadSecrets()),
  '/apply-policies': async (actions, body) => {
    const request = parsePolicyRequest(body);
    if (request === undefined) throw new TypeError('no request to apply policies');
    return actions.applyPolicies(request);
  },
  '/workers': async (actions) => ({ workers: actions.workers() }),
  '/nodes': async (actions) => ({ shared_store: actions.sharedStore() }),
};

const MOST_BYTES = 4_096;

export function createAdminServer(actions: AdminActions, onError: (error: unknown) => void): Server {
  return createServer((request, response) => {
    const action = request.method === 'POST' ? ACTIONS[request.url ?? ''] : undefined;
    if (action === undefined) {
      request.resume();
      response.writeHead(404).end();
      return;
    }
    readBody(request)
      .then((body) => action(actions, body))
      .then(
        (answer) => (answer === undefined ? response.writeHead(204).end() : response.writeHead(200).end(JSON.stringify(answer))),
        (error: unknown) => {
          onError(error);
          response.writeHead(500).end();
        },
      );
  });
}

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > MOST_BYTES) throw new RangeError('the request is too long');
  }
  return text;
}
