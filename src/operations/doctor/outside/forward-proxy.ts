// The forward proxy from outside: it answers, and denies what it must, with and without a credential.
import { request } from 'node:http';
import type { ForwardProxy } from '../../../config/config.ts';
import { fail, ok, type Verdict } from '../finding.ts';

export interface ForwardSubject {
  readonly listen: ForwardProxy['listen'];
  /** Null: checks only requests without a credential. */
  readonly token: string | null;
}

/** The metadata address of clouds, which gives a machine's credentials, and a name that never resolves (RFC 6761 6.4). */
const DENIED = ['169.254.169.254:443', 'lictor-doctor.invalid:443'] as const;

const TIMEOUT_MS = 8_000;

export async function checkForwardProxy({ listen, token }: ForwardSubject): Promise<Verdict> {
  const tried = await Promise.all([ask(listen, DENIED[0], null), ...(token === null ? [] : DENIED.map((target) => ask(listen, target, token)))]);
  const unreachable = tried.find((answer) => typeof answer === 'string');
  const address = `${listen.host}:${listen.port}`;
  if (unreachable !== undefined)
    return fail(
      `the forward proxy at ${address} does not answer (${unreachable})`,
      'control.log says why. If another program has the port, free it and restart lictor up.',
    );
  const [stranger, ...known] = tried;
  if (stranger !== 407 || known.some((status) => status !== 403))
    return fail(
      `the server at ${address} does not deny as the forward proxy does (${tried.join(', ')} instead of 407, 403)`,
      'Another program listens there: give forward_proxy.listen a free port.',
    );
  return ok(`the forward proxy at ${address} denies ${token === null ? 'requests without a credential' : DENIED.join(' and ')}`);
}

/** The status. Text: the error. Never rejects. */
function ask({ host, port }: ForwardSubject['listen'], target: string, token: string | null): Promise<number | string> {
  return new Promise((resolve) => {
    const headers = { host: target, ...(token !== null && { 'proxy-authorization': `Bearer ${token}` }) };
    const call = request({ host, port, method: 'CONNECT', path: target, headers, agent: false, timeout: TIMEOUT_MS });
    call.once('connect', (response, socket) => {
      socket.destroy();
      resolve(response.statusCode ?? 0);
    });
    call.once('response', (response) => {
      response.destroy();
      resolve(response.statusCode ?? 0);
    });
    call.once('timeout', () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    call.once('error', (error) => resolve('code' in error && typeof error.code === 'string' ? error.code : error.message));
    call.end();
  });
}
