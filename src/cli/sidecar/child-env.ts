// The environment of the process that is started: the loopback address and its secret instead of any credential.
import { LOOPBACK_USER } from './guard.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Loopback {
  /** `http://127.0.0.1:PORT`, with the path of the gateway's address. */
  readonly url: string;
  readonly secret: string;
  /** The gateway's own address, for links that people open. */
  readonly publicUrl: string;
}

/** Never passed on: they are the sidecar's, or they would win over what is set here. */
const DROPPED = ['PREFECT_API_KEY', 'PREFECT_API_AUTH_STRING', 'PREFECT_CLIENT_CUSTOM_HEADERS', 'LICTOR_OIDC_CLIENT_SECRET_FILE'];

/**
 * Header and auth string both carry the secret. Stock clients send the header on every request and socket (3.4.8 on), and the auth
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

/** The loopback port must not be asked for through a proxy. */
function withLoopback(list: string | undefined): string {
  const names = (list ?? '').split(',').map((name) => name.trim());
  if (names.includes('*')) return list ?? '';
  return [...new Set([...names, '127.0.0.1', 'localhost'])].filter((name) => name !== '').join(',');
}

/** Custom headers of the user's own, without those that carry a credential. */
function otherHeaders(text: string | undefined): Record<string, string> {
  if (text === undefined || text === '') return {};
  const parsed = parseObject(text);
  return Object.fromEntries(
    Object.entries(parsed).flatMap(([name, value]): [string, string][] =>
      typeof value !== 'string' || /^(?:authorization|x-lictor-token)$/i.test(name) ? [] : [[name, value]],
    ),
  );
}

function parseObject(text: string): object {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {}; // Prefect would refuse it; here only ours remain
  }
}
