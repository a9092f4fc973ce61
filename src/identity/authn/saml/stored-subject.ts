// Texts that are sealed and stored: the request of a login attempt, the subject of a session at its provider.
import { z } from 'zod';

const text = z.string().nullable().default(null);
/** `is_fresh`: the person must prove the identity anew. */
const attemptSecret = z
  .object({ request_id: z.string(), is_fresh: z.boolean().default(false) })
  .transform(({ request_id: requestId, is_fresh: isFresh }) => ({ requestId, isFresh }));
const storedSubject = z
  .object({ name_id: z.object({ value: z.string(), format: text, nameQualifier: text, spNameQualifier: text }), session_index: text })
  .transform(({ name_id: nameId, session_index: sessionIndex }) => ({ nameId, sessionIndex }));

export type StoredSubject = z.output<typeof storedSubject>;
export type AttemptSecret = z.output<typeof attemptSecret>;

export function renderStored({ nameId, sessionIndex }: StoredSubject): string {
  return JSON.stringify({ name_id: nameId, session_index: sessionIndex });
}

/** Lictor itself sealed both texts, so any other form is a defect, and throws. */
export function parseStored(stored: string): StoredSubject {
  return storedSubject.parse(JSON.parse(stored));
}

export function renderSecret({ requestId, isFresh }: AttemptSecret): string {
  return JSON.stringify({ request_id: requestId, is_fresh: isFresh });
}

export function parseSecret(secret: string): AttemptSecret {
  return attemptSecret.parse(JSON.parse(secret));
}
