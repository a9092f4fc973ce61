// The requests of doctor that the gateway refuses for want of a credential. By their ids, the report of observe mode leaves exactly these out.
import type { PublicUrl } from '../../config/config.ts';
import { baseOf } from './outside/door.ts';
import { type Probe, type ProbeRequest, probe } from './outside/http-probe.ts';
import { type Attempter, attemptSocket } from './outside/sockets.ts';

export interface OwnRequests {
  readonly probe: (request: ProbeRequest) => Promise<Probe>;
  readonly attempt: Attempter;
  /** The X-Request-Id of each refused one, as the answer has it. */
  readonly refused: ReadonlySet<string>;
}

const REQUEST_ID = /^[0-9A-Za-z_-]{1,64}$/;

/** Only answers at public_url count: any other server could name the requests of others. */
export function followOwnRequests(publicUrl: Pick<PublicUrl, 'origin' | 'basePath'>, send = { probe, attempt: attemptSocket }): OwnRequests {
  const refused = new Set<string>();
  const base = `${baseOf(publicUrl)}/`;
  const note = (url: string, requestId: string | undefined): void => {
    if (requestId !== undefined && REQUEST_ID.test(requestId) && url.replace(/^ws/, 'http').startsWith(base)) refused.add(requestId);
  };
  return {
    refused,
    async probe(request) {
      const answer = await send.probe(request);
      if (answer.ok && answer.status === 401) note(request.url, answer.headers['x-request-id']);
      return answer;
    },
    async attempt(options) {
      const attempt = await send.attempt(options);
      if (attempt.status === 401 || attempt.end === POLICY_VIOLATION) note(options.url, attempt.requestId);
      return attempt;
    },
  };
}

/** The close code of a socket without a valid credential. */
const POLICY_VIOLATION = 1008;
