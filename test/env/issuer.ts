// An issuer of workload tokens on this machine: the parts of GitHub's, GitLab's, Kubernetes' or AWS's that a relying party sees.

import { createServer } from 'node:http';
import { type JWK, type JWTHeaderParameters, SignJWT } from 'jose';
import { type SigningKey, signingKey } from '../../src/identity/authn/jwt/issuer.fixture.ts';
import { listenOnLoopback } from './listen.ts';

export interface Issuer {
  readonly issuer: string;
  /** Signed now, for five minutes; claims may say otherwise, undefined leaves one out. */
  token(claims: Readonly<Record<string, unknown>>, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** The same with a key that the issuer does not publish. */
  forged(claims: Readonly<Record<string, unknown>>): Promise<string>;
  publicJwk(): JWK;
  /** The key is replaced, the old one withdrawn. */
  rotate(): Promise<void>;
  /** Paths that were asked since the last `clear`. */
  asked(): readonly string[];
  clear(): void;
  /** Refuses connections from now on. */
  end(): Promise<void>;
  /** Answers again, at the same address. */
  begin(): Promise<void>;
  close(): Promise<void>;
}

/** Starts it on a free port of the loopback address. */
export async function startIssuer(alg = 'RS256'): Promise<Issuer> {
  let key = await signingKey('key-1', alg);
  const asked: string[] = [];
  let issuer = '';
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/jwks` },
      '/jwks': { keys: [key.publicJwk] },
    };
    const document = documents[request.url ?? ''];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  const port = await listenOnLoopback(server);
  issuer = `http://127.0.0.1:${port}`;
  const sign = (signer: SigningKey, claims: Readonly<Record<string, unknown>>, header: Partial<JWTHeaderParameters> = {}): Promise<string> => {
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: issuer, iat: now, nbf: now, exp: now + 300, ...claims })
      .setProtectedHeader({ alg: signer.alg, kid: signer.kid, ...header })
      .sign(signer.privateKey);
  };
  const end = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return {
    issuer,
    token: (claims, header) => sign(key, claims, header),
    forged: async (claims) => sign(await signingKey('key-1', alg), claims),
    publicJwk: () => key.publicJwk,
    rotate: async () => {
      key = await signingKey(`key-${Date.now()}`, alg);
    },
    asked: () => [...asked],
    clear: () => {
      asked.length = 0;
    },
    end,
    begin: () => new Promise((resolve) => void server.listen(port, '127.0.0.1', resolve)),
    close: async () => (server.listening ? await end() : undefined),
  };
}
