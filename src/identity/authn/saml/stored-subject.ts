// Texts that are sealed and stored: the request of a login attempt, the subject of a session at its provider.
import { z } from 'zod';

const text = z.string().nullable().default(null);
const attemptSecret = z.object({ request_id: z.string() });
const storedSubject = z
  .object({ name_id: z.object({ value: z.string(), format: text, nameQualifier: text, spNameQualifier: text }), session_index: text })
  .transform(({ name_id: nameId, session_index: sessionIndex }) => ({ nameId, sessionIndex }));

export type StoredSubject = z.output<typeof storedSubject>;

export function renderStored({ nameId, sessionIndex }: StoredSubject): string {
  return JSON.stringify({ name_id: nameId, session_index: sessionIndex });
}

/** Lictor itself sealed both texts, so any other form is a defect, and throws. */
export function parseStored(stored: string): StoredSubject {
  return storedSubject.parse(JSON.parse(stored));
}

export function renderSecret(requestId: string): string {
  return JSON.stringify({ request_id: requestId });
}

export function parseSecret(secret: string): string {
  return attemptSecret.parse(JSON.parse(secret)).request_id;
}
