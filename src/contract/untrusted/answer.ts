// Answers for agents: facts stand apart, and all text that others wrote is below `untrusted_text`: cleaned, without secrets, bounded.
import { isRawNumber } from '../json/tree.ts';
import { cleanText } from './clean.ts';
import type { Fact } from './facts.ts';
import type { Redacted, Redactor } from './redact.ts';
import { SECRET_NAME } from './shapes.ts';
import type { Source } from './sources.ts';

/** Text for `untrusted_text`, as it came. Only `finishAnswer` makes it readable. */
export interface UntrustedDraft {
  readonly [DRAFT]: true;
  readonly source: Source;
  readonly fields: Readonly<Record<string, unknown>>;
}

const DRAFT: unique symbol = Symbol('untrusted');

/** An answer before its texts are finished. A plain string does not fit: it is a fact, or it is in a draft. */
export type AnswerDraft = Fact | number | boolean | null | UntrustedDraft | readonly AnswerDraft[] | { readonly [key: string]: AnswerDraft };

type Finished = string | number | boolean | null | readonly Finished[] | { readonly [key: string]: Finished };

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

/** The value of `untrusted_text`. The names of `fields` are Lictor's; all below them, the keys of structures too, is text of others. */
export function untrusted(source: Source, fields: Readonly<Record<string, unknown>>): UntrustedDraft {
  return { [DRAFT]: true, source, fields };
}

export function finishAnswer(draft: AnswerDraft, redactor: Redactor): FinishedAnswer<Finished> {
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

/** The answer with each text of its drafts replaced, always in the same order. */
function mapTexts(draft: AnswerDraft, map: MapText): Finished {
  if (Array.isArray(draft)) return draft.map((item: AnswerDraft) => mapTexts(item, map));
  if (typeof draft !== 'object' || draft === null) return draft;
  if (isDraft(draft)) {
    const fields = Object.entries(draft.fields).map(([name, value]) => [name, mapValue(value, map, { depth: 0, isSecret: false })]);
    return { source: draft.source, ...Object.fromEntries(fields) };
  }
  return Object.fromEntries(Object.entries(draft).map(([key, value]) => [key, mapTexts(value, map)]));
}

function isDraft(value: object): value is UntrustedDraft {
  return Object.hasOwn(value, DRAFT);
}

/** A value that others wrote: its keys are text like its values. */
function mapValue(value: unknown, map: MapText, { depth, isSecret }: { readonly depth: number; readonly isSecret: boolean }): Finished {
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
