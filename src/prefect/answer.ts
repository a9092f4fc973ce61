// Reads the few fields of Prefect's answers that the gateway needs. Prefect's JSON is trusted to be JSON, not to have a shape.

import { parseStrict, renderStrict } from '../json/strict-json.ts';
import { field, isList, isObject, type JsonObject, type JsonValue } from '../json/tree.ts';
import type { UpstreamAnswer } from './upstream.ts';

/** The answer's JSON object; null when it is anything else. */
export function answerObject(answer: UpstreamAnswer): JsonObject | null {
  try {
    const value = JSON.parse(answer.body.toString('utf8')) as JsonValue;
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

export function textField(object: JsonObject | null, key: string): string | null {
  const value = object === null ? undefined : field(object, key);
  return typeof value === 'string' ? value : null;
}

/** The objects in a list field. */
export function objectsField(object: JsonObject | null, key: string): readonly JsonObject[] {
  const value = object === null ? undefined : field(object, key);
  return isList(value) ? value.filter((item): item is JsonObject => isObject(item)) : [];
}

/** The objects of an answer that is a list; none when it is anything else. */
export function answerList(answer: UpstreamAnswer): readonly JsonObject[] {
  const parsed = parseStrict(answer.body);
  return parsed.ok && isList(parsed.tree) ? parsed.tree.filter((item): item is JsonObject => isObject(item)) : [];
}

/** The answer with another body. */
export function withJson(answer: UpstreamAnswer, value: JsonValue): UpstreamAnswer {
  return { ...answer, headers: { ...answer.headers, 'content-type': 'application/json' }, body: renderStrict(value) };
}
