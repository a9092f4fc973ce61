// What is kept for later, as text to be sealed: an attempt's request, a session's name at the provider.
import type { NameId } from './assertion.ts';

export interface Kept {
  readonly nameId: NameId;
  readonly sessionIndex: string | null;
}

export function renderKept({ nameId, sessionIndex }: Kept): string {
  return JSON.stringify({ name_id: nameId, session_index: sessionIndex });
}

/** We wrote and sealed both: anything else is a defect. */
export function parseKept(text: string): Kept {
  const { name_id: nameId, session_index: sessionIndex } = ownObject(text);
  const { value, ...more } = ownObject(JSON.stringify(nameId));
  if (typeof value !== 'string') throw new TypeError('a kept name without a value');
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
  if (typeof value !== 'object' || value === null) throw new TypeError('what was kept is no object');
  return { ...value };
}
