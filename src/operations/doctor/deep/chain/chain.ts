// Requests along the whole way that clients go: through every proxy at public_url.
import { randomUUID } from 'node:crypto';
import type { PublicUrl } from '../../../../config/config.ts';
import type { Verdict } from '../../finding.ts';
import { jsonField, type Probe, type ProbeRequest, type Trust } from '../../outside/http-probe.ts';
import { fault } from '../codes.ts';

export interface Chain {
  readonly publicUrl: PublicUrl;
  readonly probe: (request: ProbeRequest) => Promise<Probe>;
  /** A short-lived token with the roles viewer and worker. Null: there is none, and checks that need it are left out. */
  readonly token: string | null;
  /** The servers that may get the token. */
  readonly tls: Trust;
}

/** Every route of the API needs a credential. */
export const API = '/api/admin/version';

/** The same for one request: no cache has an answer to it. */
export function apiOnce(): string {
  return `${API}?lictor-doctor=${randomUUID()}`;
}

/** Without a credential. */
export function askAsStranger({ publicUrl, probe }: Chain, path: string, more: Omit<ProbeRequest, 'url' | 'tls'> = {}): Promise<Probe> {
  return probe({ url: `${publicUrl.origin}${publicUrl.basePath}${path}`, ...more });
}

/** With the token in `headers`, or in X-Lictor-Token. */
export function askAsDoctor(chain: Chain, path: string, token: string, more: Omit<ProbeRequest, 'url' | 'tls'> = {}): Promise<Probe> {
  const { publicUrl, probe, tls } = chain;
  return probe({ url: `${publicUrl.origin}${publicUrl.basePath}${path}`, tls, headers: { 'x-lictor-token': token }, ...more });
}

/** The code of a rejection by the gateway. Undefined: the answer is none. */
export function codeOf(answer: Probe): string | undefined {
  if (!answer.ok || typeof jsonField(answer.body, 'request_id') !== 'string') return undefined;
  const code = jsonField(answer.body, 'code');
  return typeof code === 'string' ? code : undefined;
}

/** `404 text/html` or the error. */
export function answerWords(answer: Probe): string {
  if (!answer.ok) return answer.error;
  const kind = codeOf(answer) ?? answer.headers['content-type']?.split(';')[0];
  return kind === undefined ? String(answer.status) : `${answer.status} ${kind}`;
}

/** Null: the gateway answers. Otherwise, further checks of the chain would only repeat that it does not. */
export async function whyNotReached(chain: Chain): Promise<readonly Verdict[] | null> {
  const { basePath } = chain.publicUrl;
  // The health answers any host name.
  const [answer, other] = [await askAsStranger(chain, '/.lictor/health'), await askAsStranger(chain, '/.lictor/ready')];
  if (codeOf(other) === 'host-unknown')
    return [fault('host-changed', 'a proxy in between changes the Host header: the gateway does not know the host name that arrives')];
  if (answer.ok && jsonField(answer.body, 'status') === 'ok') return null;
  if (codeOf(answer) === 'not-found' && basePath !== '') return [fault('prefix-stripped', `a proxy in between removes ${basePath} from the path`)];
  return []; // checkHealth says why.
}
