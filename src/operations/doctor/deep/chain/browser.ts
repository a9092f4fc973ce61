// Redirects and cookies as a browser gets them.
import type { PublicUrl } from '../../../../config/config.ts';
import { sessionCookieName } from '../../../../contract/names.ts';
import type { StoreAddress } from '../../../../contract/store-address.ts';
import { readRows } from '../../../../store/rows.ts';
import type { Verdict } from '../../finding.ts';
import type { Probe } from '../../outside/http-probe.ts';
import { fault } from '../codes.ts';
import { answerWords, askAsStranger, type Chain, codeOf } from './chain.ts';
import { logOut } from './credentials.ts';

const NAVIGATION = { accept: 'text/html', 'sec-fetch-mode': 'navigate' };

export type ReturnPaths = (attempt: string) => Promise<string | undefined>;

/** A page of the UI whose address a proxy must not change. */
const DEEP_LINK = '/runs?lictor=doctor%20deep&state=a';

/** `returnTo`: where the gateway sends the browser after the login attempt of this id. */
export async function checkLoginRedirect(chain: Chain, returnTo: ReturnPaths): Promise<readonly Verdict[]> {
  const { origin, basePath } = chain.publicUrl;
  const answer = await askAsStranger(chain, DEEP_LINK, { headers: NAVIGATION });
  if (!answer.ok) return [];
  const location = answer.headers['location'];
  if (answer.status !== 302 || location === undefined)
    return [fault('login-redirect-lost', `a page of the UI without a session gets ${answerWords(answer)} instead of a redirect to the login`)];
  const to = new URL(location, `${origin}${basePath}${DEEP_LINK}`);
  if (to.origin !== origin) return [fault('redirect-elsewhere', `the redirect to the login leads to ${to.origin}, not to ${origin}`)];
  if (to.pathname !== `${basePath}/.lictor/login`)
    return [fault('redirect-prefix-lost', `the redirect to the login leads to ${to.pathname}, not to ${basePath}/.lictor/login`)];
  const back = await returnTo(to.searchParams.get('attempt') ?? '');
  if (back === `${basePath}${DEEP_LINK}`) return [];
  return [fault('return-path-lost', `after the login, a browser that requested ${basePath}${DEEP_LINK} gets ${back ?? 'the first page'}`)];
}

/** The gateway stores it with the login attempt. */
export function returnPathIn(storeAt: StoreAddress): ReturnPaths {
  return async (attempt) => {
    const [row] = await readRows(storeAt, 'SELECT return_to FROM login_attempts WHERE id = ?', attempt);
    return typeof row?.['return_to'] === 'string' ? row['return_to'] : undefined;
  };
}

/** A logout without a session removes the session cookie, with the attributes that a login gives it. */
export async function checkCookies(chain: Chain): Promise<readonly Verdict[]> {
  const { publicUrl } = chain;
  const answer = await logOut(chain, publicUrl.origin);
  if (!answer.ok || codeOf(answer) !== undefined) return []; // The check of Origin says why.
  const name = sessionCookieName(publicUrl);
  const cookie = answer.setCookies.find((text) => text.startsWith(`${name}=`));
  if (cookie === undefined) return [fault('cookie-removed', `Set-Cookie of ${name} does not arrive at the browser`)];
  return cookieProblems(attributesOf(cookie), publicUrl);
}

function attributesOf(cookie: string): ReadonlyMap<string, string> {
  return new Map(
    cookie.split(';').map((part) => {
      const [name = '', ...value] = part.trim().split('=');
      return [name.toLowerCase(), value.join('=')];
    }),
  );
}

function cookieProblems(attributes: ReadonlyMap<string, string>, { secure, basePath }: PublicUrl): readonly Verdict[] {
  const [sameSite, domain, path] = ['samesite', 'domain', 'path'].map((name) => attributes.get(name));
  return [
    ...(secure && !attributes.has('secure') ? [fault('cookie-insecure', 'the session cookie arrives without Secure')] : []),
    ...(attributes.has('httponly') ? [] : [fault('cookie-readable', 'the session cookie arrives without HttpOnly')]),
    ...(sameSite?.toLowerCase() === 'lax' ? [] : [fault('cookie-same-site', `the session cookie arrives with SameSite=${sameSite ?? '(none)'}`)]),
    ...(domain === undefined ? [] : [fault('cookie-domain', `the session cookie arrives with Domain=${domain}`)]),
    ...(path === `${basePath}/` ? [] : [fault('cookie-path', `the session cookie arrives with Path=${path ?? '(none)'} instead of ${basePath}/`)]),
  ];
}

/** `plainUrl`: the same host without TLS. */
export async function checkPlainHttp({ publicUrl, probe }: Chain, plainUrl: string): Promise<readonly Verdict[]> {
  if (!publicUrl.secure) return [];
  const answer = await probe({ url: `${plainUrl}${publicUrl.basePath}/.lictor/health`, timeoutMs: 3_000 });
  if (!answer.ok || answer.status >= 400) return [];
  return plainProblems(answer, publicUrl, plainUrl);
}

function plainProblems(answer: Extract<Probe, { ok: true }>, { hostname }: PublicUrl, plainUrl: string): readonly Verdict[] {
  const location = answer.headers['location'];
  if (answer.status < 300 || location === undefined) return [fault('plain-http-served', `${plainUrl} answers without TLS`)];
  const to = new URL(location, plainUrl);
  if (to.protocol === 'https:' && to.hostname === hostname) return [];
  return [fault('plain-http-elsewhere', `${plainUrl} redirects to ${to.origin}`)];
}

/** Port 80, or the port of public_url where that is not 443. */
export function plainUrlOf({ hostname, port }: Pick<PublicUrl, 'hostname' | 'port'>): string {
  return port === 443 ? `http://${hostname}` : `http://${hostname}:${port}`;
}
