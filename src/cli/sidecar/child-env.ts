// The environment of the started process: the loopback URL and its secret instead of any credential.
import { jsonObjectIn } from './ask.ts';
import { LOOPBACK_USER } from './guard.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Loopback {
  /** `http://127.0.0.1:PORT`, with the path of the gateway's address. */
  readonly url: string;
  readonly secret: string;
  /** The gateway's own URL, for links that people open. */
  readonly publicUrl: string;
}

/** Not passed on: the sidecar sets them, or they would override its settings. */
const DROPPED = ['PREFECT_API_KEY', 'PREFECT_API_AUTH_STRING', 'PREFECT_CLIENT_CUSTOM_HEADERS', 'LICTOR_OIDC_CLIENT_SECRET_FILE'];

/**
 * Header and auth string both contain the secret. Stock clients send the header on every request and socket (since 3.4.8), and the auth
 * string in the first frame of a socket and on the request for the server's version.
 */
export function childEnvironment(env: Environment, { url, secret, publicUrl }: Loopback): Record<string, string> {
  const passed = Object.entries(env).flatMap(([name, value]): [string, string][] => (value === undefined || DROPPED.includes(name) ? [] : [[name, value]]));
  const authString = `${LOOPBACK_USER}:${secret}`;
  const authorization = `Basic ${Buffer.from(authString).toString('base64')}`;
  const headers = { ...otherHeaders(env['PREFECT_CLIENT_CUSTOM_HEADERS']), Authorization: authorization };
  return {
    PREFECT_UI_URL: publicUrl,
    ...Object.fromEntries(passed),
    PREFECT_API_URL: `${url}/api`,
    PREFECT_API_AUTH_STRING: authString,
    PREFECT_CLIENT_CUSTOM_HEADERS: JSON.stringify(headers),
    NO_PROXY: withLoopback(env['NO_PROXY'] ?? env['no_proxy']),
    no_proxy: withLoopback(env['no_proxy'] ?? env['NO_PROXY']),
  };
}

/** The process must not use a proxy for the loopback port. */
function withLoopback(list: string | undefined): string {
  const names = (list ?? '').split(',').map((name) => name.trim());
  if (names.includes('*')) return list ?? '';
  return [...new Set([...names, '127.0.0.1', 'localhost'])].filter((name) => name !== '').join(',');
}

/** The user's own custom headers, without those that contain a credential. */
function otherHeaders(text: string | undefined): Record<string, string> {
  if (text === undefined || text === '') return {};
  return Object.fromEntries(
    Object.entries(jsonObjectIn(text)).flatMap(([name, value]): [string, string][] =>
      typeof value !== 'string' || /^(?:authorization|x-lictor-token)$/i.test(name) ? [] : [[name, value]],
    ),
  );
}
