// Every check of the way between clients and the gateway.
import { type Check, ok, type Verdict, warn } from '../../finding.ts';
import type { Attempter } from '../../outside/sockets.ts';
import { type AddressSubject, checkAddress } from './address.ts';
import { checkAnswers } from './answers.ts';
import { type BodyWays, checkBodies } from './bodies.ts';
import { checkCookies, checkLoginRedirect, checkPlainHttp, type ReturnPaths } from './browser.ts';
import { checkBrowserSockets } from './browser-sockets.ts';
import { type Chain, whyNotReached } from './chain.ts';
import { checkCarriers } from './credentials.ts';
import { checkTarget } from './target.ts';

export interface ChainSubject extends AddressSubject, BodyWays {
  /** Where the gateway sends the browser after the login attempt of this id. */
  readonly returnTo: ReturnPaths;
  readonly attempt: Attempter;
  /** The host of public_url without TLS. */
  readonly plainUrl: string;
}

/** If the gateway does not answer at all, only the first check says something. */
export function chainChecks(subject: ChainSubject): readonly Check[] {
  const { chain } = subject;
  const reached = whyNotReached(chain);
  const through = (name: string, words: string, run: (chain: Chain) => Promise<readonly Verdict[]>): Check => ({
    group: 'public-url',
    name,
    run: async () => ((await reached) === null ? withErrors(chain, words, run) : []),
  });
  const credentials = chain.token === null ? 'Cookie and Origin' : 'Authorization, X-Lictor-Token, Cookie and Origin';
  const checks: readonly Check[] = [
    { group: 'public-url', name: 'host', run: async () => (await reached) ?? ok('requests arrive at this gateway with its host name and path') },
    through('carriers', `${credentials} arrive unchanged`, checkCarriers),
    through('target', 'paths, methods and long lines arrive unchanged', checkTarget),
    through('answers', 'errors and headers of answers arrive unchanged, and no cache is in between', checkAnswers),
    through('bodies', 'a body of 5 MiB arrives without waiting', (each) => checkBodies(each, subject)),
    through('client-address', 'the gateway records the address of the client', (each) => checkAddress({ ...subject, chain: each })),
    through('login-redirect', 'a browser without a session gets to the login, and back to its page', (each) => checkLoginRedirect(each, subject.returnTo)),
    through('cookies', 'the session cookie arrives with all its attributes', checkCookies),
    ...(chain.publicUrl.secure ? [through('plain-http', 'nothing is served without TLS', () => checkPlainHttp(chain, subject.plainUrl))] : []),
    ...(chain.token === null
      ? []
      : [through('browser-sockets', 'every socket gets Cookie and Origin of a browser', (each) => checkBrowserSockets(each, subject.attempt))]),
  ];
  return checks;
}

/** A request without an answer shows nothing, so the check must not say ok. */
async function withErrors(chain: Chain, words: string, run: (chain: Chain) => Promise<readonly Verdict[]>): Promise<readonly Verdict[]> {
  const errors: string[] = [];
  const found = await run({
    ...chain,
    async probe(request) {
      const answer = await chain.probe(request);
      if (!answer.ok) errors.push(answer.error);
      return answer;
    },
  });
  if (found.length > 0) return found;
  const [error] = errors;
  return [error === undefined ? ok(words) : warn(`it is not known whether ${words}: a request got no answer (${error})`, 'Run lictor doctor --deep again.')];
}
