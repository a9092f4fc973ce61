// Answers for agents: facts stand apart, and all text that others wrote is below `untrusted_text`: cleaned, without secrets, bounded.
import { isRawNumber } from '../json/tree.ts';
import { cleanText } from './clean.ts';
import type { Redacted, Redactor } from './redact.ts';
import { SECRET_NAME } from './shapes.ts';

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
const DEPTH_MOST = 16;
const ITEMS_MOST = 1000;

/**
 * The answer with every text below a key `untrusted_text` finished, and the rest as it is. The keys of `untrusted_text` itself are Lictor's own.
 * Everything below them, the keys of structures too, is text of others.
 */
export function finishAnswer<T extends object>(draft: T, redactor: Redactor): FinishedAnswer<T> {
  const windows: Window[] = [];
  let room = ANSWER_MOST;
  mapTexts(draft, (text, isNamedSecret) => {
    const window = isNamedSecret ? NAMED_SECRET : windowOf(text, Math.min(room, TEXT_MOST));
    room -= Math.min(window.text.length, window.limit);
    windows.push(window);
    return '';
  });
  const redacted = redactor.redact(windows.map(({ text }) => text));
  const texts = windows.map((window, index) => boundText(window, redacted[index] ?? NOTHING)).values();
  const counts = { redactions: 0, cut: 0 };
  const answer = mapTexts(draft, () => {
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
  const isWhole = raw.length <= RAW_MOST;
  const text = cleaned.slice(0, isWhole ? limit + MARGIN : Math.max(0, Math.min(limit + MARGIN, cleaned.length - MARGIN)));
  return { text, limit, beyond: (isWhole ? cleaned.length : raw.length) - text.length, isSecret: false };
}

function boundText({ limit, beyond, isSecret }: Window, { text, redactions }: Redacted): Redacted & { readonly isCut: boolean } {
  if (isSecret) return { text: '[redacted: named secret]', redactions: 1, isCut: false };
  const missing = Math.max(0, text.length - limit) + beyond;
  if (missing === 0) return { text, redactions, isCut: false };
  return { text: `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, '')} [cut: ${missing} more characters]`.trimStart(), redactions, isCut: true };
}

type MapText = (text: string, isNamedSecret: boolean) => string;

/** The texts below each `untrusted_text` replaced, always in the same order. */
function mapTexts<T>(draft: T, map: MapText): T {
  if (typeof draft !== 'object' || draft === null) return draft;
  if (Array.isArray(draft)) return draft.map((item) => mapTexts(item, map)) as T;
  const entries = Object.entries(draft).map(([key, value]) => [key, key === 'untrusted_text' ? mapFields(value, map) : mapTexts(value, map)]);
  return Object.fromEntries(entries) as T;
}

function mapFields(fields: unknown, map: MapText): unknown {
  if (typeof fields !== 'object' || fields === null) return mapValue(fields, map, TOP);
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, mapValue(value, map, TOP)]));
}

const TOP = { depth: 0, isSecret: false };

/** A value that others wrote: its keys are text like its values. */
function mapValue(value: unknown, map: MapText, { depth, isSecret }: { readonly depth: number; readonly isSecret: boolean }): unknown {
  if (typeof value === 'string') return map(value, isSecret);
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (isRawNumber(value)) return Number(value.rawJSON);
  if (typeof value !== 'object' || value === null) return null;
  if (depth === DEPTH_MOST) return '[cut: too deep]';
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS_MOST).map((item) => mapValue(item, map, { depth: depth + 1, isSecret }));
    return value.length > ITEMS_MOST ? [...items, `[cut: ${value.length - ITEMS_MOST} more items]`] : items;
  }
  const entries = Object.entries(value);
  const shown = entries
    .slice(0, ITEMS_MOST)
    .map(([key, item]) => [map(key, false), mapValue(item, map, { depth: depth + 1, isSecret: isSecret || SECRET_NAME.test(key) })]);
  return Object.fromEntries(entries.length > ITEMS_MOST ? [...shown, ['[cut]', `${entries.length - ITEMS_MOST} more items`]] : shown);
}
