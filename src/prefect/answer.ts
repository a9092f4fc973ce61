// Reads the few fields of Prefect's answers that the gateway needs. Prefect's JSON is trusted to be JSON, not to have a shape.

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
