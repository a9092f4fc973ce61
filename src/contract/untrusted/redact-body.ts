// A body of Prefect for a client of an agent, without secrets. Everything else in it stays.
import { setImmediate } from 'node:timers/promises';
import { rawNumber } from '../json/tree.ts';
import type { Redacted, Redactor } from './redact.ts';
import { type Bounds, mapTexts } from './texts.ts';

export interface RedactedBody {
  readonly body: Buffer;
  readonly redactions: number;
}

/** A large body is redacted in steps, between which other requests run. Throws for a body that says it is JSON, and is not. */
export async function redactBody(body: Buffer, contentType: string, redactor: Redactor): Promise<RedactedBody> {
  if (/^text\/(?:plain|csv)\b/i.test(contentType)) return await redactLines(body, redactor);
  if (!/^application\/json\b/i.test(contentType) || body.length === 0) return { body, redactions: 0 };
  const value: unknown = JSON.parse(body.toString(), keepNumber);
  const given: (string | null)[] = [];
  mapTexts(
    value,
    (text, isNamedSecret) => {
      given.push(isNamedSecret ? null : text);
      return '';
    },
    UNBOUNDED,
  );
  const redacted = await redactInSteps(given, redactor);
  const redactions = countOf(redacted);
  if (redactions === 0) return { body, redactions };
  const texts = redacted.values();
  return { body: Buffer.from(JSON.stringify(mapTexts(value, () => texts.next().value?.text ?? '', UNBOUNDED))), redactions };
}

const UNBOUNDED: Bounds = { depth: Number.POSITIVE_INFINITY, items: Number.POSITIVE_INFINITY, areNumbersRaw: true };

/** Large integers and `1.0` stay as Prefect wrote them. */
function keepNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? rawNumber(context.source) : value;
}

/** Logs that are downloaded as a file. */
async function redactLines(body: Buffer, redactor: Redactor): Promise<RedactedBody> {
  const lines = await redactInSteps(body.toString().split('\n'), redactor);
  const redactions = countOf(lines);
  return { body: redactions === 0 ? body : Buffer.from(lines.map(({ text }) => text).join('\n')), redactions };
}

function countOf(redacted: readonly Redacted[]): number {
  return redacted.reduce((sum, { redactions }) => sum + redactions, 0);
}

const STEP_CHARACTERS = 200_000;
const PIECE_CHARACTERS = 100_000;

async function redactInSteps(texts: readonly (string | null)[], redactor: Redactor): Promise<readonly Redacted[]> {
  const pieces = texts.map(piecesOf);
  const redacted = await redactPieces(pieces.flat(), redactor);
  let at = 0;
  return pieces.map(({ length }) => {
    at += length;
    return joined(redacted.slice(at - length, at));
  });
}

/** A long text is cut at white space, which no secret but a key has. Without any it is cut where the piece ends. */
function piecesOf(text: string | null): readonly (string | null)[] {
  if (text === null || text.length <= PIECE_CHARACTERS) return [text];
  const pieces: string[] = [];
  for (let start = 0; start < text.length; ) {
    const most = text.slice(start, start + PIECE_CHARACTERS);
    const isLast = start + most.length === text.length;
    const piece = isLast ? most : most.slice(0, most.search(/\s\S*$/) + 1) || most;
    pieces.push(piece);
    start += piece.length;
  }
  return pieces;
}

function joined(pieces: readonly Redacted[]): Redacted {
  return { text: pieces.map(({ text }) => text).join(''), redactions: countOf(pieces) };
}

async function redactPieces(texts: readonly (string | null)[], redactor: Redactor): Promise<readonly Redacted[]> {
  const redacted: Redacted[] = [];
  let step: (string | null)[] = [];
  let characters = 0;
  for (const [index, text] of texts.entries()) {
    step.push(text);
    characters += text?.length ?? 0;
    const isLast = index === texts.length - 1;
    if (characters < STEP_CHARACTERS && !isLast) continue;
    const next = isLast ? [] : step.splice(openKeyIn(step));
    redacted.push(...redactor.redact(step));
    step = next;
    characters = 0;
    await setImmediate();
  }
  return redacted;
}

/** The shape of a private key is not longer. */
const KEY_CHARACTERS = 9000;
const KEY_MARKS = /-----BEGIN|-----END [A-Z ]{0,40}PRIVATE KEY/g;

/** Where a private key begins that goes on in the next step. No such key: the end. */
function openKeyIn(step: readonly (string | null)[]): number {
  let characters = 0;
  for (let index = step.length - 1; index >= 0 && characters < KEY_CHARACTERS; index -= 1) {
    const text = step[index] ?? '';
    const mark = text.match(KEY_MARKS)?.at(-1);
    if (mark !== undefined) return mark === '-----BEGIN' ? index : step.length;
    characters += text.length + 1;
  }
  return step.length;
}
