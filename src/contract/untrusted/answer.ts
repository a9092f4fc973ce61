// Answers for agents: facts stand apart, and all text that others wrote is below `untrusted_text`: cleaned, without secrets, bounded.
import { cleanText } from './clean.ts';
import type { Redacted, Redactor } from './redact.ts';
import { type Bounds, type MapText, mapTexts } from './texts.ts';

export interface FinishedAnswer<T> {
  readonly answer: T;
  /** How many secrets were removed, and how many texts were shortened or left out. */
  readonly redactions: number;
  readonly cut: number;
}

/** In characters. One text, and all texts of one answer. */
export const TEXT_MOST = 8000;
export const ANSWER_MOST = 100_000;

/** What is read beyond a bound, to see a secret that goes over it whole. The longest shape has 8,000 characters. */
const MARGIN = 9000;
/** Invisible characters are no reason to read without an end. */
const RAW_MOST = 200_000;
const BOUNDS: Bounds = { depth: 16, items: 1000, areNumbersRaw: false };

/**
 * The answer with every text below a key `untrusted_text` finished, and the rest as it is. The keys of `untrusted_text` itself are Lictor's own.
 * Everything below them, the keys of structures too, is text of others.
 */
export function finishAnswer<T extends object>(draft: T, redactor: Redactor): FinishedAnswer<T> {
  const windows: Window[] = [];
  let room = ANSWER_MOST;
  mapAnswer(draft, (text, isNamedSecret) => {
    const window = isNamedSecret ? NAMED_SECRET : windowOf(text, Math.min(room, TEXT_MOST));
    room -= Math.min(window.text.length, window.limit);
    windows.push(window);
    return '';
  });
  const redacted = redactor.redact(windows.map(({ text, isSecret }) => (isSecret ? null : text)));
  const texts = windows.map((window, index) => boundText(window, redacted[index] ?? NOTHING)).values();
  const counts = { redactions: 0, cut: 0 };
  const answer = mapAnswer(draft, () => {
    const { text, redactions, isCut } = texts.next().value ?? { ...NOTHING, isCut: true };
    counts.redactions += redactions;
    counts.cut += isCut ? 1 : 0;
    return text;
  });
  return { answer, ...counts };
}

/** The start of a cleaned text, longer than what is shown by the margin. */
interface Window {
  readonly text: string;
  /** How much of it may be shown. */
  readonly limit: number;
  /** Characters beyond it. */
  readonly beyond: number;
  readonly isSecret: boolean;
}

const NOTHING: Redacted = { text: '', redactions: 0 };
const NAMED_SECRET: Window = { text: '', limit: 0, beyond: 0, isSecret: true };

function windowOf(raw: string, limit: number): Window {
  if (limit === 0) return { text: '', limit, beyond: raw.length, isSecret: false };
  const cleaned = cleanText(raw.slice(0, RAW_MOST));
  const text = cleaned.slice(0, limit + MARGIN);
  return { text, limit, beyond: (raw.length <= RAW_MOST ? cleaned.length : raw.length) - text.length, isSecret: false };
}

function boundText({ limit, beyond, isSecret }: Window, { text, redactions }: Redacted): Redacted & { readonly isCut: boolean } {
  if (isSecret) return { text, redactions, isCut: false };
  // What was read last may be the start of a secret.
  const most = beyond > 0 ? Math.max(0, Math.min(limit, text.length - MARGIN)) : limit;
  const missing = Math.max(0, text.length - most) + beyond;
  if (missing === 0) return { text, redactions, isCut: false };
  // A count for each of many tiny texts would be longer than the texts.
  if (limit === 0) return { text: '[cut]', redactions, isCut: true };
  return { text: `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')} [cut: ${missing} more characters]`.trimStart(), redactions, isCut: true };
}

/** The texts below each `untrusted_text` replaced, always in the same order. */
function mapAnswer<T>(draft: T, map: MapText): T {
  if (typeof draft !== 'object' || draft === null) return draft;
  if (Array.isArray(draft)) return draft.map((item) => mapAnswer(item, map)) as T;
  const entries = Object.entries(draft).map(([key, value]) => [key, key === 'untrusted_text' ? mapFields(value, map) : mapAnswer(value, map)]);
  return Object.fromEntries(entries) as T;
}

function mapFields(fields: unknown, map: MapText): unknown {
  if (typeof fields !== 'object' || fields === null) return mapTexts(fields, map, BOUNDS);
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, mapTexts(value, map, BOUNDS)]));
}
