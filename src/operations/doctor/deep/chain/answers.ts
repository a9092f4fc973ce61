// Whether answers arrive as the gateway sent them: errors, headers, and none from a cache.
import type { Verdict } from '../../finding.ts';
import { jsonField, type Probe } from '../../outside/http-probe.ts';
import { fault } from '../codes.ts';
import { API, answerWords, apiOnce, askAsDoctor, askAsStranger, type Chain, codeOf } from './chain.ts';
import { FOREIGN_ORIGIN } from './credentials.ts';

export async function checkAnswers(chain: Chain): Promise<readonly Verdict[]> {
  const found = await Promise.all([checkError(chain), checkRejection(chain), checkPageHeaders(chain), checkCache(chain), checkCrossOrigin(chain)]);
  return found.flat();
}

async function checkError(chain: Chain): Promise<readonly Verdict[]> {
  const answer = await askAsStranger(chain, '/.lictor/lictor-doctor');
  if (!answer.ok || codeOf(answer) !== undefined) return [];
  return [fault('error-replaced', `a proxy in between replaces a 404 of the gateway: ${answerWords(answer)}`)];
}

async function checkRejection(chain: Chain): Promise<readonly Verdict[]> {
  const answer = await askAsStranger(chain, apiOnce());
  if (!answer.ok || codeOf(answer) === undefined) return []; // checkRefusal says why.
  const { headers, body } = answer;
  return [
    ...(headers['x-request-id'] === jsonField(body, 'request_id')
      ? []
      : [fault('request-id-lost', 'X-Request-Id of the gateway does not arrive at the client')]),
    ...(headers['www-authenticate'] === undefined ? [fault('answer-headers-lost', 'WWW-Authenticate of a 401 does not arrive at the client')] : []),
  ];
}

async function checkPageHeaders(chain: Chain): Promise<readonly Verdict[]> {
  const answer = await askAsStranger(chain, '/.lictor/logout', { headers: { accept: 'text/html' } });
  if (!answer.ok || answer.status !== 200) return [];
  const policy = answer.headers['content-security-policy'] ?? '';
  return policy.includes("frame-ancestors 'none'") ? [] : [fault('page-headers-lost', 'Content-Security-Policy of a page of the gateway does not arrive')];
}

/** Every answer of the gateway has a separate request id. */
async function checkCache(chain: Chain): Promise<readonly Verdict[]> {
  const health = () => askAsStranger(chain, '/.lictor/health');
  const { token } = chain;
  const [first, authorised] = await Promise.all([health(), token === null ? undefined : askAsDoctor(chain, API, token)]);
  const [second, stranger] = await Promise.all([health(), authorised === undefined ? undefined : askAsStranger(chain, API)]);
  if (authorised?.ok === true && authorised.status === 200 && stranger?.ok === true && stranger.status === 200)
    return [fault('answers-shared', 'a cache in between gives the answer of an authenticated client to a stranger')];
  return isCached(first, second) ? [fault('answers-cached', 'a cache in between answers: two requests got the same X-Request-Id, or Age')] : [];
}

function isCached(first: Probe, second: Probe): boolean {
  if (!first.ok || !second.ok) return false;
  const [one, other] = [first.headers['x-request-id'], second.headers['x-request-id']];
  return (one !== undefined && one === other) || Number(second.headers['age'] ?? 0) > 0;
}

async function checkCrossOrigin(chain: Chain): Promise<readonly Verdict[]> {
  const answer = await askAsStranger(chain, apiOnce(), { headers: { origin: FOREIGN_ORIGIN } });
  const allowed = answer.ok ? answer.headers['access-control-allow-origin'] : undefined;
  return allowed === undefined ? [] : [fault('cross-origin-opened', `a proxy in between adds Access-Control-Allow-Origin: ${allowed}`)];
}
