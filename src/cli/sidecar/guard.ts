// Who may use the loopback port, and for what: only the started process, for the gateway's API. Other users of the machine can connect
// to the port too, and so can a browser.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { ReasonCode } from '../../contract/reasons.ts';
import { looksLikeRunToken } from '../../contract/run-token.ts';
import type { GatewayAddress } from './gateway-url.ts';

export interface Guard {
  /** Passed to the started process only in its environment. */
  readonly secret: string;
  /** Basic or Bearer. */
  isOurs(authorization: string | undefined): boolean;
  /** In a socket's first frame: `lictor:SECRET` or the secret alone. */
  isOurToken(token: string): boolean;
  /** The token of a flow run, which a worker under `lictor exec` received for it. The run presents it instead of the secret. */
  runTokenIn(headers: IncomingHttpHeaders): string | undefined;
  /** The same in a first frame. */
  runTokenOf(frameToken: string): string | undefined;
  /** The problem of the request, for any client. */
  refuses(request: IncomingMessage): ReasonCode | undefined;
}

/** The user name before the secret, which Prefect requires. It has no meaning. */
export const LOOPBACK_USER = 'lictor';

/** `port` is a function, since the port is known only when the server listens. */
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
      // An absolute target would name another server. CONNECT and `*` never arrive here.
      if (!url.startsWith('/') || url.startsWith('//')) return 'request-invalid';
      // With DNS rebinding, a foreign page points its name at 127.0.0.1, and the browser sends that name here.
      if (headers.host !== `127.0.0.1:${port()}` && headers.host !== `localhost:${port()}`) return 'host-unknown';
      // Programs that read PREFECT_API_URL send none; every page does.
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

/** The part after the user name, if there is one. */
function afterName(token: string): string {
  return token.slice(token.indexOf(':') + 1);
}

function isRunToken(text: string | undefined): text is string {
  return text !== undefined && looksLikeRunToken(text);
}

/** Prefect's API, and the services that tasks call. Not the gateway's pages and its authorization server. */
const PREFIXES = ['/api/', '/.lictor/svc/'] as const;

/** Equal lengths for the comparison in constant time. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
