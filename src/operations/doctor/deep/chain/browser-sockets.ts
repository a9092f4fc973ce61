// Sockets as the UI opens them: with Cookie and Origin.
import { sessionCookieName } from '../../../../contract/names.ts';
import type { Verdict } from '../../finding.ts';
import { type Attempt, type Attempter, SOCKET_PATHS } from '../../outside/sockets.ts';
import { fault } from '../codes.ts';
import type { Chain } from './chain.ts';
import { FOREIGN_ORIGIN } from './credentials.ts';

export async function checkBrowserSockets(chain: Chain, attempt: Attempter): Promise<readonly Verdict[]> {
  const found = await Promise.all(SOCKET_PATHS.map((path) => checkPath(chain, attempt, path)));
  return found.flat();
}

/** Nothing if the socket does not open with a token either: the checks of `sockets` say why. */
async function checkPath(chain: Chain, attempt: Attempter, path: string): Promise<readonly Verdict[]> {
  const { publicUrl, tls, token } = chain;
  if (token === null) return [];
  const url = `${publicUrl.origin}${publicUrl.basePath}${path}`.replace(/^http/, 'ws');
  const { end } = await attempt({ url, tls, headers: { 'x-lictor-token': token } });
  if (end !== 'open') return [];
  // The session does not exist. The reason of the rejection shows what arrived.
  const cookie = `${sessionCookieName(publicUrl)}=lictor-doctor`;
  const open = (origin: string): Promise<Attempt> => attempt({ url, tls, headers: { cookie, origin } });
  const [own, foreign] = await Promise.all([open(publicUrl.origin), open(FOREIGN_ORIGIN)]);
  return problemOf(path.replace('lictor-doctor', '*'), own.code, foreign.code);
}

function problemOf(path: string, own: string | null, foreign: string | null): readonly Verdict[] {
  if (own === 'credential-missing') return [fault('socket-cookie-lost', `${path}: Cookie does not arrive at the gateway`)];
  if (own === 'origin-foreign') return [fault('socket-origin-lost', `${path}: Origin does not arrive at the gateway as a browser sends it`)];
  if (own === null || foreign !== own) return [];
  return [fault('socket-origin-replaced', `${path}: the gateway does not see that another site opens the socket`)];
}
