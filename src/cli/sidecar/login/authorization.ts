// Requests of the command line to the gateway's authorization server: begin a device login, poll for its tokens, refresh, revoke, who am I.
import type { Clock } from '../../../contract/clock.ts';
import { AskError, ask, isLasting, jsonObjectIn } from '../ask.ts';
import { isBearer, SourceError } from '../credential.ts';
import type { GatewayAddress } from '../gateway-url.ts';
import type { Transport } from '../transport.ts';

const CLIENT_ID = 'lictor-cli';
const DEVICE_GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:device_code';

export interface Begun {
  readonly deviceCode: string;
  readonly userCode: string;
  /** Contains the code. */
  readonly page: string;
  readonly expiresInMs: number;
  readonly intervalMs: number;
}

export interface Tokens {
  readonly accessToken: string;
  readonly expiresAtMs: number;
  readonly refreshToken: string;
}

/** The gateway's refusal with its code. `words` are for the person. */
export interface Refused {
  readonly refused: string;
  /** OAuth's code. */
  readonly error: string;
  readonly words: string;
}

export interface Authorization {
  begin(scopes: readonly string[], signal: AbortSignal): Promise<Begun | Refused>;
  poll(deviceCode: string, signal: AbortSignal): Promise<Tokens | Refused>;
  refresh(refreshToken: string, signal: AbortSignal): Promise<Tokens | Refused>;
  /** Ends the login at the gateway. */
  revoke(refreshToken: string, signal: AbortSignal): Promise<void>;
  me(accessToken: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>> | Refused>;
}

/** All throw SourceError if the gateway does not answer, or if the answer is not a gateway's. Not final if another attempt may succeed. */
export function createAuthorization(gateway: GatewayAddress, transport: Transport, clock: Clock): Authorization {
  const base = `${gateway.origin}${gateway.basePath}/.lictor`;
  const post = (path: string, form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answered> =>
    send(transport, new URL(`${base}/oauth/${path}`), { form: { client_id: CLIENT_ID, ...form }, signal });
  const tokens = async (form: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Tokens | Refused> => {
    const askedMs = clock();
    const { status, body } = await post('token', form, signal);
    return status === 200 ? parseTokens(body, askedMs, gateway) : refusalOf(status, body, gateway);
  };
  return {
    async begin(scopes, signal) {
      const { status, body } = await post('device_authorization', scopes.length === 0 ? {} : { scope: scopes.join(' ') }, signal);
      return status === 200 ? parseBegun(body, gateway) : refusalOf(status, body, gateway);
    },
    poll: (deviceCode, signal) => tokens({ grant_type: DEVICE_GRANT_TYPE, device_code: deviceCode }, signal),
    refresh: (refreshToken, signal) => tokens({ grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
    async revoke(refreshToken, signal) {
      const { status } = await post('revoke', { token: refreshToken, token_type_hint: 'refresh_token' }, signal);
      if (status !== 200) throw strange(gateway, status);
    },
    async me(accessToken, signal) {
      const { status, body } = await send(transport, new URL(`${base}/api/v1/me`), { bearer: accessToken, signal });
      return status === 200 ? body : refusalOf(status, body, gateway);
    },
  };
}

type Body = Readonly<Record<string, unknown>>;

interface Answered {
  readonly status: number;
  readonly body: Body;
}

interface Sending {
  readonly form?: Readonly<Record<string, string>>;
  readonly bearer?: string;
  readonly signal: AbortSignal;
}

async function send(transport: Transport, url: URL, { form, bearer, signal }: Sending): Promise<Answered> {
  const headers = {
    accept: 'application/json',
    ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
    ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }),
  };
  try {
    const asked = { method: form === undefined ? 'GET' : 'POST', headers, body: form === undefined ? '' : new URLSearchParams(form).toString(), signal };
    const { status, body } = await ask(transport, url, asked);
    return { status, body: jsonObjectIn(body) };
  } catch (cause) {
    if (!(cause instanceof AskError)) throw cause;
    const advice = /CERT|SELF_SIGNED|UNABLE_TO/.test(cause.why) ? ' For an authority of your own: PREFECT_API_SSL_CERT_FILE=ca.pem.' : '';
    throw new SourceError(`The gateway ${cause.message}${advice}`, { final: isLasting(cause.why), cause });
  }
}

function parseBegun(body: Body, gateway: GatewayAddress): Begun {
  const { device_code: deviceCode, user_code: userCode, verification_uri_complete: page, expires_in: expiresIn, interval } = body;
  const texts = typeof deviceCode === 'string' && typeof userCode === 'string' && typeof page === 'string';
  if (!texts || typeof expiresIn !== 'number' || typeof interval !== 'number') throw strange(gateway, 200);
  // The person may only see an address of this gateway.
  if (!page.startsWith(`${gateway.origin}${gateway.basePath}/`) || !/^[A-Z0-9-]{1,20}$/.test(userCode)) throw otherAddress(gateway, page);
  return { deviceCode, userCode, page, expiresInMs: expiresIn * 1000, intervalMs: interval * 1000 };
}

function otherAddress({ origin, basePath }: GatewayAddress, page: string): SourceError {
  const other = URL.canParse(page) ? new URL(page).origin : 'something else';
  return new SourceError(`${origin}${basePath} calls itself ${other}: use the address that is public_url there.`, { final: true });
}

function parseTokens(body: Body, askedMs: number, gateway: GatewayAddress): Tokens {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: expiresIn } = body;
  if (typeof accessToken !== 'string' || !isBearer(accessToken) || typeof refreshToken !== 'string' || typeof expiresIn !== 'number')
    throw strange(gateway, 200);
  return { accessToken, refreshToken, expiresAtMs: askedMs + expiresIn * 1000 };
}

/** Throws if another attempt may succeed, or if the answer is not a gateway's. */
function refusalOf(status: number, body: Body, gateway: GatewayAddress): Refused {
  const { code, detail, hint, error } = body;
  if (typeof code !== 'string' || typeof detail !== 'string') throw strange(gateway, status);
  const words = [detail, hint].filter((text) => typeof text === 'string' && text !== '').join(' ');
  if (status >= 500 || status === 429) throw new SourceError(`The gateway answered ${status}: ${words}`, { final: false });
  return { refused: code, error: typeof error === 'string' ? error : '', words };
}

function strange({ origin }: GatewayAddress, status: number): SourceError {
  const mayPass = status >= 500 || status === 429;
  return new SourceError(`${origin} answered ${status}, and not as a gateway does${mayPass ? '' : ': is the address right?'}.`, { final: !mayPass });
}
