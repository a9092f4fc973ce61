// Facts of Prefect's objects: ids, enums, counts, times. What does not have the form of a fact is null, so that no text passes as one.
import { z } from 'zod';
import { field, isObject, type JsonObject, type JsonValue, objectsIn, textsIn } from '../../contract/json/tree.ts';
import { normaliseUuid } from '../../prefect/catalog/template.ts';

export const ID = z.string().nullable().describe('A UUID.');
export const TIME = z.string().nullable().describe('RFC 3339.');
export const COUNT = z.int();
export const NUMBER = z.number().nullable();
export const FLAG = z.boolean().nullable();

export const STATE_TYPES = ['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING'] as const;
export const STATE_TYPE = z.enum(STATE_TYPES).nullable();

/** Of flow runs and task runs. */
export const RUN_FACTS = {
  state_type: STATE_TYPE,
  created: TIME,
  updated: TIME,
  start_time: TIME,
  end_time: TIME,
  duration: NUMBER.describe('Seconds.'),
};

export function runFactsOf(run: JsonValue) {
  const [start, end] = [timeIn(run, 'start_time'), timeIn(run, 'end_time')];
  return {
    state_type: enumIn(run, 'state_type', STATE_TYPES),
    created: timeIn(run, 'created'),
    updated: timeIn(run, 'updated'),
    start_time: start,
    end_time: end,
    duration: secondsBetween(start, end),
  };
}

export function idIn(object: JsonValue | undefined, key: string): string | null {
  const value = field(object, key);
  return typeof value === 'string' ? (normaliseUuid(value) ?? null) : null;
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

export function timeIn(object: JsonValue | undefined, key: string): string | null {
  const value = field(object, key);
  return typeof value === 'string' && RFC_3339.test(value) ? value : null;
}

export function numberIn(object: JsonValue | undefined, key: string): number | null {
  const value = field(object, key);
  return typeof value === 'number' ? value : null;
}

export function flagIn(object: JsonValue | undefined, key: string): boolean | null {
  const value = field(object, key);
  return typeof value === 'boolean' ? value : null;
}

export function enumIn<Name extends string>(object: JsonValue | undefined, key: string, names: readonly Name[]): Name | null {
  const value = field(object, key);
  return names.find((name) => name === value) ?? null;
}

/** Not a fact: for `untrusted_text`. */
export function textIn(object: JsonValue | undefined, key: string): string | null {
  const value = field(object, key);
  return typeof value === 'string' ? value : null;
}

export function textsOf(object: JsonValue | undefined, key: string): string[] {
  return [...textsIn(field(object, key))];
}

export function objectIn(object: JsonValue | undefined, key: string): JsonObject | undefined {
  const value = field(object, key);
  return isObject(value) ? value : undefined;
}

export function objectsOf(object: JsonValue | undefined, key: string): readonly JsonObject[] {
  return objectsIn(field(object, key));
}

/** Seconds between two times; null when one is missing. */
export function secondsBetween(start: string | null, end: string | null): number | null {
  return start === null || end === null ? null : (Date.parse(end) - Date.parse(start)) / 1000;
}
