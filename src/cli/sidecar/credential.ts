// The result of a credential source, and its error.

export interface Obtained {
  /** Sent as `Authorization: Bearer ...`. */
  readonly secret: string;
  /** Epoch milliseconds; null: only the gateway knows. */
  readonly expiresAtMs: number | null;
  /** For sources that another program renews: the time until the next read. Null: at a fraction of its life. */
  readonly lookAgainMs: number | null;
}

export interface CredentialSource {
  /** For messages: `the token file /run/secrets/lictor`. Never a secret. */
  readonly name: string;
  /** Throws SourceError if there is none. */
  obtain(signal: AbortSignal): Promise<Obtained>;
}

/** No credential. `message` is for the person at the terminal and holds no secret. */
export class SourceError extends Error {
  override readonly name = 'SourceError';
  /** Another attempt would have the same result: a wrong client secret, an unknown issuer. */
  readonly final: boolean;

  constructor(message: string, options: { readonly final: boolean; readonly cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.final = options.final;
  }
}

/** Whether the text may follow `Authorization: Bearer` (RFC 6750, 2.1), with a bound on its length. */
export function isBearer(text: string): boolean {
  return text.length <= 16_384 && /^[A-Za-z0-9._~+/-]+=*$/.test(text);
}

/** `exp` of a JWT in epoch milliseconds, unverified. Null: not a JWT, or no `exp`. */
export function expiryOf(token: string): number | null {
  const [, payload, signature] = token.split('.');
  if (payload === undefined || signature === undefined) return null;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (typeof claims !== 'object' || claims === null || !('exp' in claims) || typeof claims.exp !== 'number') return null;
    return Number.isFinite(claims.exp) ? claims.exp * 1000 : null;
  } catch {
    return null; // not a JWT: an opaque token may contain dots
  }
}
