// Who may use the loopback port, and for what: the process that was started, for the gateway's API. Other users of the machine reach
// the port too, and so does a browser.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ReasonCode } from '../../contract/reasons.ts';
import { looksLikeRunToken } from '../../contract/run-token.ts';
import type { GatewayAddress } from './gateway-url.ts';

export interface Guard {
  /** Handed to the process that is started, in its environment alone. */
  readonly secret: string;
  /** Basic or Bearer. */
  isOurs(authorization: string | undefined): boolean;
  /** Of a socket's first frame: `lictor:SECRET` or the secret alone. */
  isOurToken(token: string): boolean;
  /** The token of a flow run, which a worker under `lictor exec` was given for it: the run comes with it instead of the secret. */
  runTokenIn(headers: IncomingHttpHeaders): string | undefined;
  /** The same of a first frame. */
  runTokenOf(frameToken: string): string | undefined;
  /** What is wrong with the request, whoever sends it. */
  refuses(request: IncomingMessage): ReasonCode | undefined;
}

/** The name before the secret, where Prefect wants one; it means nothing. */
export const LOOPBACK_USER = 'lictor';

/** `port` is asked for late: it is known when the server listens. */
export function createGuard({ basePath }: GatewayAddress, port: () => number): Guard {
  const secret = randomBytes(32).toString('base64url');
  const expected = digest(secret);
  const isSecret = (text: string): boolean => timingSafeEqual(digest(text), expected);
  const isOurToken = (token: string): boolean => isSecret(afterName(token));
  return {
    secret,
    isOurToken,
    isOurs: (authorization) => isSecret(passwordOf(authorization) ?? ''),
    runTokenIn: ({ authorization, 'x-lictor-token': token }) => [passwordOf(authorization), token].flat().find(isRunToken),
    runTokenOf: (token) => [afterName(token)].find(isRunToken),
    refuses({ url = '', headers }) {
      // An absolute target would name another server; CONNECT and `*` never come here.
      if (!url.startsWith('/') || url.startsWith('//')) return 'request-invalid';
      // A page of a foreign site whose name was pointed at 127.0.0.1 sends its own name here (DNS rebinding).
      if (headers.host !== `127.0.0.1:${port()}` && headers.host !== `localhost:${port()}`) return 'host-unknown';
      // No program that reads PREFECT_API_URL sends one; every page does.
      if (headers.origin !== undefined) return 'origin-foreign';
      return PREFIXES.some((prefix) => url.startsWith(`${basePath}${prefix}`)) ? undefined : 'not-found';
    },
  };
}

/** The token of Bearer, the password of Basic. */
function passwordOf(authorization = ''): string | undefined {
  const [, scheme, value = ''] = /^(Basic|Bearer) +([A-Za-z0-9+/=_-]+)$/i.exec(authorization) ?? [];
  if (scheme === undefined) return undefined;
  return scheme.toLowerCase() === 'bearer' ? value : afterName(Buffer.from(value, 'base64').toString('utf8'));
}

/** What stands behind the user name, where there is one. */
function afterName(token: string): string {
  return token.slice(token.indexOf(':') + 1);
}

function isRunToken(text: string | undefined): text is string {
  return text !== undefined && looksLikeRunToken(text);
}

/** Prefect's API, and the services that tasks call. Not the gateway's own pages and its authorization server. */
const PREFIXES = ['/api/', '/.lictor/svc/'] as const;

/** Equal lengths for the comparison in constant time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
