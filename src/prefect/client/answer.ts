// Reads the fields of Prefect's answers that Lictor needs. Lictor trusts Prefect to send JSON, but checks its shape.

import { parseStrict, renderStrict, type StrictResult } from '../../contract/json/strict-json.ts';
import { field, isList, isObject, type JsonObject, type JsonValue, objectsIn } from '../../contract/json/tree.ts';
import type { UpstreamAnswer } from './upstream.ts';
import { UpstreamError } from './upstream-error.ts';

/** The answer's JSON object; null when it is anything else. */
export function answerObject(answer: UpstreamAnswer): JsonObject | null {
  try {
    const value = JSON.parse(answer.body.toString('utf8')) as JsonValue;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

export function textField(object: JsonValue | undefined, key: string): string | null {
  const value = field(object, key);
  return typeof value === 'string' ? value : null;
}

/** The objects in a list field. */
export function objectsField(object: JsonValue | undefined, key: string): readonly JsonObject[] {
  return objectsIn(field(object, key));
}

/** An answer contains values of a request, so it is deeper than any request. Prefect itself writes about 250 levels at most (orjson). */
const MOST_LEVELS = 512;

/** Strict, for answers that Lictor decides on or removes objects from. */
export function parseAnswer({ body }: Pick<UpstreamAnswer, 'body'>): StrictResult {
  return parseStrict(body, { deepest: MOST_LEVELS, mostNodes: Number.POSITIVE_INFINITY });
}

/** The objects of an answer that is a list. Throws UpstreamError for any other answer. */
export function answerList(answer: UpstreamAnswer): readonly JsonObject[] {
  const parsed = parseAnswer(answer);
  if (parsed.ok && isList(parsed.tree)) return objectsIn(parsed.tree);
  throw new UpstreamError('upstream-unavailable', { forwarded: true, detail: 'the answer is no list that can be read' });
}

/** The answer with another body. */
export function withJson(answer: UpstreamAnswer, value: JsonValue): UpstreamAnswer {
  return { ...answer, headers: { ...answer.headers, 'content-type': 'application/json' }, body: renderStrict(value) };
}
