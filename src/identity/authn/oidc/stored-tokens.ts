// Texts that are sealed and stored: the secret of a login attempt, the tokens of a session.
import { z } from 'zod';

const text = z.string().nullable().default(null);
/** `verifier`: PKCE, RFC 7636. `isFresh`: the person must prove the identity anew. */
const attemptSecret = z.object({ verifier: z.string(), nonce: z.string(), isFresh: z.boolean().default(false) });
/** `refresh_token` null: the provider issued none. `id_token`, for the provider's logout, null: the provider does not need it. */
const storedTokens = z
  .object({ refresh_token: text, id_token: text })
  .transform(({ refresh_token: refreshToken, id_token: idToken }) => ({ refreshToken, idToken }));

export type StoredTokens = z.output<typeof storedTokens>;

export function renderStored({ refreshToken, idToken }: StoredTokens): string {
  return JSON.stringify({ refresh_token: refreshToken, id_token: idToken });
}

/** Lictor itself sealed both texts, so any other form is a defect, and throws. */
export function parseStored(stored: string): StoredTokens {
  return storedTokens.parse(JSON.parse(stored));
}

export function parseSecret(secret: string): z.output<typeof attemptSecret> {
  return attemptSecret.parse(JSON.parse(secret));
}
