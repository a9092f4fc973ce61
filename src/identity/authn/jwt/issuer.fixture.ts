// For tests: an issuer with keys. Lictor fetches them through a way out that counts requests.
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import type { JwtProvider } from '../../../config/config.ts';
import { type Outbound, OutboundError } from '../outbound.ts';
import { createProveJwt, type ProveJwt } from './prove.ts';
import { createSignatureVerifier } from './signature.ts';

export const NOW_SECONDS = 1_700_000_000;
export const ISSUER = 'https://tokens.example';

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly publicJwk: JWK;
}

export async function signingKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

/** `iss`, `iat` and `exp` are filled in unless they are given; undefined leaves one out. */
export function sign(key: SigningKey, claims: Readonly<Record<string, unknown>>, header: Partial<JWTHeaderParameters> = {}): Promise<string> {
  const payload = { iss: ISSUER, iat: NOW_SECONDS, exp: NOW_SECONDS + 300, ...claims };
  return new SignJWT(payload).setProtectedHeader({ alg: key.alg, ...(key.kid !== '' && { kid: key.kid }), ...header }).sign(key.privateKey);
}

export interface TestIssuer {
  readonly prove: ProveJwt;
  /** Requested addresses, in order. */
  readonly asked: string[];
  readonly errors: unknown[];
  /** The published keys from now on. Undefined: the issuer does not answer. */
  publish(keys: readonly JWK[] | undefined): void;
  /** Another discovery document. */
  describe(metadata: Readonly<Record<string, unknown>>): void;
  advance(ms: number): void;
  /** Steps the wall clock back (below 0) or ahead. The steady clock does not step. */
  putClock(ms: number): void;
}

export function testIssuer(providers: readonly Partial<JwtProvider>[], keys: readonly JWK[]): TestIssuer {
  let published: readonly JWK[] | undefined = keys;
  let metadata: Readonly<Record<string, unknown>> = { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` };
  let nowMs = NOW_SECONDS * 1000;
  const asked: string[] = [];
  const errors: unknown[] = [];
  let putMs = 0;
  const clock = (): number => nowMs + putMs;
  const steady = (): number => nowMs;
  const outbound: Pick<Outbound, 'fetch'> = {
    fetch: async (url) => {
      asked.push(String(url));
      if (published === undefined) throw new OutboundError('tokens.example gave no answer: ECONNREFUSED');
      return Response.json(String(url).endsWith('/.well-known/openid-configuration') ? metadata : { keys: published });
    },
  };
  const trusted = providers.map((given) => {
    const provider: JwtProvider = {
      id: 'ci',
      type: 'jwt',
      issuer: ISSUER,
      audiences: ['lictor'],
      jwksUri: null,
      require: {},
      principalClaim: 'sub',
      caFile: null,
      ...given,
    };
    return { provider, keys: createSignatureVerifier({ provider, outbound, steady, onError: (error) => errors.push(error) }) };
  });
  return {
    prove: createProveJwt(trusted, clock),
    asked,
    errors,
    publish: (next) => {
      published = next;
    },
    describe: (next) => {
      metadata = next;
    },
    advance: (ms) => {
      nowMs += ms;
    },
    putClock: (ms) => {
      putMs += ms;
    },
  };
}
