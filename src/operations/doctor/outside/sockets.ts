// The five sockets from outside: rejected without a credential, open with one in each place, and the upgrade arrives.
import type { IncomingMessage } from 'node:http';
import { Agent } from 'node:https';
import WebSocket, { type ClientOptions } from 'ws';
import { fail, ok, type Verdict } from '../finding.ts';
import { jsonField, judgedBy, type Trust } from './http-probe.ts';

/** The last path has a work pool that need not exist. */
export const SOCKET_PATHS: readonly string[] = [
  '/api/events/in',
  '/api/events/out',
  '/api/logs/out',
  '/api/task_runs/subscriptions/scheduled',
  '/api/work_pools/lictor-doctor/workers/connect',
];

/** The outcome of one attempt. */
export interface Attempt {
  /** The HTTP status of the upgrade: 101 when accepted. Null: no answer. */
  readonly status: number | null;
  /** The code of a rejection. */
  readonly code: string | null;
  readonly contentType: string;
  /** After the 101: `open` as long as neither side closes, otherwise the close code. */
  readonly end: 'open' | number | null;
  readonly error: string | null;
  /** As the answer names it. */
  readonly requestId?: string;
}

export interface AttemptOptions {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as the first frame, with the sub-protocol `prefect`. Undefined: neither. */
  readonly frame?: { readonly token: string | null };
  readonly tls: Trust;
}

export type Attempter = (options: AttemptOptions) => Promise<Attempt>;

export interface SocketSubject {
  /** public_url with its path. */
  readonly base: string;
  readonly token: string;
  readonly tls: Trust;
  readonly attempt: Attempter;
}

export async function checkSocket(subject: SocketSubject, path: string): Promise<readonly Verdict[]> {
  const url = `${subject.base.replace(/^http/, 'ws')}${path}`;
  const go = (headers: Readonly<Record<string, string>>, frame?: { readonly token: string | null }) =>
    subject.attempt({ url, headers, tls: subject.tls, ...(frame !== undefined && { frame }) });
  const { token } = subject;
  const basic = `Basic ${Buffer.from(`doctor:${token}`).toString('base64')}`;
  const [bare, empty, ...carried] = await Promise.all([
    go({}),
    go({}, { token: null }),
    go({ authorization: `Bearer ${token}` }),
    go({ authorization: basic }),
    go({ 'x-lictor-token': token }),
    go({}, { token: `doctor:${token}` }),
  ]);
  const error = sharedError([bare, empty, ...carried]);
  if (error !== null) return [fail(`${displayed(path)} was not reached at ${url}: ${error}`, 'See the lines of public-url and certificates.')];
  const stripped = carried.find(({ code }) => code === 'not-a-socket');
  if (stripped !== undefined) return [strippedUpgrade(path)];
  const names = ['Authorization: Bearer', 'Authorization: Basic', 'X-Lictor-Token', 'the first frame'];
  const problems = [
    ...refusalProblems(path, { bare, empty }),
    ...carried.flatMap((attempt, index) => (attempt.end === 'open' ? [] : [carrierProblem(path, names[index] ?? '', attempt)])),
  ];
  return problems.length === 0 ? [ok(`${displayed(path)}: rejected without a credential, opens with Bearer, Basic, X-Lictor-Token and first frame`)] : problems;
}

/** The common error of all attempts. Null: they differ, or were answered. */
function sharedError(attempts: readonly Attempt[]): string | null {
  const errors = new Set(attempts.map(({ error }) => error));
  return errors.size === 1 ? (attempts[0]?.error ?? null) : null;
}

function refusalProblems(path: string, { bare, empty }: { readonly bare: Attempt; readonly empty: Attempt }): readonly Verdict[] {
  const problems: Verdict[] = [];
  if (bare.status === 101)
    problems.push(fail(`${displayed(path)} opens without any credential`, 'public_url bypasses this gateway: point it at the address in listen.'));
  else if (bare.status !== 401 || bare.code === null)
    problems.push(
      fail(`${displayed(path)} without a credential: ${words(bare)}, not a 401 of this gateway`, 'A proxy in between answers: let it forward the upgrade.'),
    );
  if (empty.status === 101 && empty.end !== 1008)
    problems.push(
      fail(
        `${path} with an empty first frame: ${words(empty)}, not close code 1008`,
        'A proxy in between hides the close code, or answers itself: let it forward frames unchanged.',
      ),
    );
  return problems;
}

function displayed(path: string): string {
  return path.replace('lictor-doctor', '*');
}

function strippedUpgrade(path: string): Verdict {
  return fail(
    `${displayed(path)}: a proxy dropped the Upgrade header (not-a-socket)`,
    'A load balancer or proxy in between strips WebSocket upgrades. nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; others: enable WebSockets.',
  );
}

function carrierProblem(path: string, carrier: string, attempt: Attempt): Verdict {
  const hint =
    attempt.status === 401
      ? `A proxy in between drops ${carrier}: let it forward that.`
      : attempt.error === null
        ? "STATE/log/control.log has the relay's lines. A proxy in between may also close sockets."
        : 'See the lines of public-url and certificates.';
  return fail(`${displayed(path)} does not open with ${carrier}: ${words(attempt)}`, hint);
}

function words({ status, code, end, error, contentType }: Attempt): string {
  if (error !== null) return error;
  if (status === 101) return end === 'open' ? 'it opens and stays open' : `closed with ${end ?? 'no code'}`;
  const kind = code ?? (contentType.includes('html') ? 'a page' : contentType);
  return `${status ?? 'no answer'}${kind === '' ? '' : ` ${kind}`}`;
}

const TIMEOUT_MS = 8_000;

/** Opens a real socket. It is open after a pong, or after `auth_success`. Nothing else is sent. */
export function attemptSocket({ url, headers, frame, tls }: AttemptOptions): Promise<Attempt> {
  const agent = url.startsWith('wss:') ? new Agent({ ...judgedBy(tls) }) : undefined;
  const options: ClientOptions = { headers: { ...headers }, handshakeTimeout: TIMEOUT_MS, ...(agent !== undefined && { agent }) };
  const socket = frame === undefined ? new WebSocket(url, options) : new WebSocket(url, ['prefect'], options);
  const none: Attempt = { status: null, code: null, contentType: '', end: null, error: null };
  return new Promise((resolve) => {
    let opened = false;
    let requestId: string | undefined;
    const done = (attempt: Attempt) => {
      clearTimeout(timer);
      socket.terminate();
      resolve({ ...attempt, ...(requestId !== undefined && { requestId }) });
    };
    const readId = ({ headers: { 'x-request-id': id } }: IncomingMessage) => {
      requestId = typeof id === 'string' ? id : undefined;
    };
    const timer = setTimeout(() => done({ ...none, status: opened ? 101 : null, error: `no answer within ${TIMEOUT_MS / 1000} s` }), TIMEOUT_MS);
    socket.once('upgrade', readId);
    socket.once('open', () => {
      opened = true;
      if (frame === undefined) socket.ping();
      else socket.send(JSON.stringify({ type: 'auth', token: frame.token }));
    });
    socket.once('pong', () => done({ ...none, status: 101, end: 'open' }));
    socket.once('message', (data) => done({ ...none, status: 101, end: jsonField(String(data), 'type') === 'auth_success' ? 'open' : null }));
    socket.once('close', (code) => done(opened ? { ...none, status: 101, end: code } : none));
    socket.once('error', (error) => done({ ...none, error: error.message }));
    socket.once('unexpected-response', (_request, response) => {
      readId(response);
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        const code = jsonField(Buffer.concat(chunks).toString(), 'code');
        const contentType = response.headers['content-type'] ?? '';
        done({ ...none, status: response.statusCode ?? null, code: typeof code === 'string' ? code : null, contentType });
      });
    });
  });
}
