// Whether bodies arrive: of 5 MiB, without waiting in a proxy, and with any text.
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Verdict } from '../../finding.ts';
import { isHtml, type Probe } from '../../outside/http-probe.ts';
import { fault, hint } from '../codes.ts';
import { answerWords, askAsDoctor, type Chain, codeOf } from './chain.ts';

/** A batch of logs has up to 4 MB. */
export const BODY_BYTES = 5 * 1024 * 1024;

/** A gateway under load answers later than an idle one. */
const HOLD_MS = 5_000;

export interface BodyWays {
  /** How long a proxy may hold a body before that is a finding. */
  readonly holdMs?: number;
  readonly send?: typeof upload;
}

export async function checkBodies(chain: Chain, { holdMs = HOLD_MS, send = upload }: BodyWays = {}): Promise<readonly Verdict[]> {
  const found = await Promise.all([checkUpload(chain, holdMs, send), checkText(chain)]);
  return found.flat();
}

/** Without a credential: the gateway rejects it before it reads the body. */
async function checkUpload({ publicUrl: { origin, basePath } }: Chain, holdMs: number, send: typeof upload): Promise<readonly Verdict[]> {
  const { status, body, waited, error } = await send(`${origin}${basePath}/api/logs/`, holdMs);
  if (error !== null) return [fault('body-limited', `a proxy in between ends the request with a body of ${BODY_BYTES / 1024 / 1024} MiB: ${error}`)];
  const isOurs = /"request_id"/.test(body);
  if (status === 413 && !isOurs) return [fault('body-limited', `a proxy in between rejects a body of ${BODY_BYTES / 1024 / 1024} MiB with 413`)];
  return waited ? [hint('body-buffered', 'a proxy in between reads a whole body before the gateway sees the request')] : [];
}

interface Uploaded {
  readonly status: number;
  readonly body: string;
  /** No answer came before the rest of the body. */
  readonly waited: boolean;
  /** Null: an answer came. */
  readonly error: string | null;
}

/** Sends the head and one byte. The rest follows only if no answer comes. */
export function upload(url: string, holdMs: number): Promise<Uploaded> {
  const options = {
    ...{ method: 'POST', agent: false, rejectUnauthorized: false, timeout: 10_000 },
    headers: { 'content-type': 'application/json', 'content-length': BODY_BYTES, connection: 'close' },
  };
  return new Promise((resolve) => {
    let waited = false;
    const call = url.startsWith('https:') ? httpsRequest(url, options) : httpRequest(url, options);
    const timer = setTimeout(() => {
      waited = true;
      call.end(Buffer.alloc(BODY_BYTES - 1, ' '));
    }, holdMs);
    const done = (result: Uploaded): void => {
      clearTimeout(timer);
      call.destroy();
      resolve(result);
    };
    call.once('response', async (response: IncomingMessage) => {
      clearTimeout(timer);
      done({ status: response.statusCode ?? 0, body: await text(response).catch(() => ''), waited, error: null });
    });
    const failed = (error: string): void => done({ status: 0, body: '', waited, error });
    call.once('timeout', () => failed('no answer'));
    call.once('error', ({ message }) => failed(message));
    call.write('{');
  });
}

/** What firewalls take for an attack, and Prefect stores every day. */
const SUSPICIOUS = JSON.stringify({ limit: 1, flows: { name: { like_: "' OR 1=1; DROP TABLE x --<script>alert(1)</script>../../etc/passwd" } } });

async function checkText(chain: Chain): Promise<readonly Verdict[]> {
  const { token } = chain;
  if (token === null) return [];
  const headers = { 'x-lictor-token': token, 'content-type': 'application/json' };
  const ask = (body: string) => askAsDoctor(chain, '/api/flows/filter', token, { method: 'POST', headers, body });
  const [plain, suspicious] = await Promise.all([ask('{"limit": 1}'), ask(SUSPICIOUS)]);
  if (!passes(plain) || passes(suspicious)) return [];
  return [fault('body-filtered', `a proxy in between rejects a body by its text: ${answerWords(suspicious)}`)];
}

function passes(answer: Probe): boolean {
  return answer.ok && (codeOf(answer) !== undefined || (answer.status < 400 && !isHtml(answer)));
}
