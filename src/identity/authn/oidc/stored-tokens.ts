// Texts that are sealed and stored: the secret of a login attempt, the tokens of a session.

export interface AttemptSecret {
  /** PKCE, RFC 7636. */
  readonly verifier: string;
  readonly nonce: string;
}

export interface StoredTokens {
  /** Null: the provider issued none. */
  readonly refreshToken: string | null;
  /** The last ID token, for the provider's logout. Null: the provider does not need it. */
  readonly idToken: string | null;
}

export function parseSecret(text: string): AttemptSecret {
  const { verifier, nonce } = ownObject(text);
  if (typeof verifier !== 'string' || typeof nonce !== 'string') throw new TypeError('an attempt without verifier or nonce');
  return { verifier, nonce };
}

export function renderStored({ refreshToken, idToken }: StoredTokens): string {
  return JSON.stringify({ refresh_token: refreshToken, id_token: idToken });
}

export function parseStored(text: string): StoredTokens {
  const { refresh_token: refreshToken, id_token: idToken } = ownObject(text);
  return { refreshToken: typeof refreshToken === 'string' ? refreshToken : null, idToken: typeof idToken === 'string' ? idToken : null };
}

/** Lictor itself sealed the text, so any other form is a defect. */
function ownObject(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new TypeError('what was stored is no object');
  return { ...value };
}
