// The AWS role of this machine: a signed GetCallerIdentity, exchanged at the gateway for a token for 15 minutes.

import { Sha256 } from '../../../contract/aws-hash.ts';
import type { Clock } from '../../../contract/clock.ts';
import { type Answer, AskError, ask, jsonObjectIn } from '../ask.ts';
import { type CredentialSource, isBearer, type Obtained, SourceError } from '../credential.ts';
import type { GatewayAddress } from '../gateway-url.ts';
import type { Transport } from '../transport.ts';

export interface AwsRole {
  /** The `audience` of the provider in the gateway's lictor.yaml. */
  readonly audience: string;
  /** Null: the global endpoint of STS. */
  readonly region: string | null;
  /** AWS_ENDPOINT_URL_STS, as AWS's tools read it. Null: AWS's endpoint. Only for the signature: the gateway sends the request. */
  readonly endpoint: URL | null;
}

const NAME = "AWS's credential chain";
const BODY = 'Action=GetCallerIdentity&Version=2011-06-15';
/** The region in signatures for the global endpoint. */
const GLOBAL_REGION = 'us-east-1';

export function awsRole(role: AwsRole, gateway: GatewayAddress, transport: Transport, clock: Clock): CredentialSource {
  const place = new URL(`${gateway.origin}${gateway.basePath}/.lictor/oauth/token`);
  return {
    name: NAME,
    async obtain(signal) {
      const form = new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
        subject_token_type: 'urn:lictor:token-type:aws-iam',
        subject_token: JSON.stringify(await signedRequest(role)),
      });
      const askedMs = clock();
      const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
      const answer = await ask(transport, place, { method: 'POST', headers, body: form.toString(), signal }).catch((cause: unknown) => {
        throw new SourceError(cause instanceof AskError ? cause.message : 'The gateway cannot be reached.', { final: false, cause });
      });
      return obtained(answer, askedMs);
    },
  };
}

/** The libraries are large, and only this source needs them. */
async function signedRequest({ audience, region, endpoint }: AwsRole): Promise<object> {
  const [{ SignatureV4 }, { defaultProvider }] = await Promise.all([import('@smithy/signature-v4'), import('@aws-sdk/credential-provider-node')]);
  const credentials = await defaultProvider()().catch((cause: unknown) => {
    throw new SourceError('AWS gave this machine no credentials: neither environment, profile, container nor instance has any.', { final: false, cause });
  });
  const { host, hostname, port, protocol, origin } = endpoint ?? new URL(region === null ? 'https://sts.amazonaws.com' : `https://${regionalHost(region)}`);
  const signer = new SignatureV4({ service: 'sts', region: region ?? GLOBAL_REGION, credentials, sha256: Sha256 });
  const headers = { host, 'x-lictor-audience': audience };
  const signed = await signer.sign({
    method: 'POST',
    protocol,
    hostname,
    ...(port !== '' && { port: Number(port) }),
    path: '/',
    query: {},
    headers,
    body: BODY,
  });
  return { method: 'POST', url: `${origin}/`, headers: signed.headers, body: BODY };
}

function regionalHost(region: string): string {
  return `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}

function obtained({ status, body }: Answer, askedMs: number): Obtained {
  const answer = jsonObjectIn(body);
  const { access_token: secret, expires_in: seconds } = answer;
  if (status === 200 && typeof secret === 'string' && isBearer(secret) && typeof seconds === 'number') {
    return { secret, expiresAtMs: askedMs + seconds * 1000, lookAgainMs: null };
  }
  const said = [answer['detail'], answer['hint']].filter((text) => typeof text === 'string' && text !== '').join(' ');
  const busy = status === 429 || status >= 500;
  throw new SourceError(`The gateway gave no token for this AWS role (${String(answer['code'] ?? status)}). ${said}`.trim(), { final: !busy });
}
