// Texts that are sealed and stored: the request of a login attempt, the subject of a session at its provider.
import type { NameId } from './assertion.ts';

export interface StoredSubject {
  readonly nameId: NameId;
  readonly sessionIndex: string | null;
}

export function renderStored({ nameId, sessionIndex }: StoredSubject): string {
  return JSON.stringify({ name_id: nameId, session_index: sessionIndex });
}

/** The gateway itself sealed both texts, so any other form is a defect. */
export function parseStored(text: string): StoredSubject {
  const { name_id: nameId, session_index: sessionIndex } = ownObject(text);
  const { value, ...more } = ownObject(JSON.stringify(nameId));
  if (typeof value !== 'string') throw new TypeError('a stored name without a value');
  const optional = (key: string): string | null => (typeof more[key] === 'string' ? more[key] : null);
  return {
    nameId: { value, format: optional('format'), nameQualifier: optional('nameQualifier'), spNameQualifier: optional('spNameQualifier') },
    sessionIndex: typeof sessionIndex === 'string' ? sessionIndex : null,
  };
}

export function renderSecret(requestId: string): string {
  return JSON.stringify({ request_id: requestId });
}

export function parseSecret(text: string): string {
  const { request_id: requestId } = ownObject(text);
  if (typeof requestId !== 'string') throw new TypeError('an attempt without a request');
  return requestId;
}

function ownObject(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new TypeError('what was stored is no object');
  return { ...value };
}
