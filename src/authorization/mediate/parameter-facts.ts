// The values of parameters as policies see them: names, and `NAME=VALUE` in canonical JSON.
//
// Policies see the value that Prefect will use, with each `__prefect_kind` filled in (schema_tools/hydration.py of 3.9.1). If that value
// depends on a variable, an event or a later pass, they see `NAME=?`, which no list of values contains.
import type { Facts } from '../../contract/decision.ts';
import { canonicalText } from '../../contract/json/canonical.ts';
import { parseStrict } from '../../contract/json/strict-json.ts';
import { field, isList, isObject, type JsonObject, type JsonValue, walk } from '../../contract/json/tree.ts';
import { UNKNOWN } from '../policy/facts.ts';
import type { Call } from './handler.ts';
import { isTemplate, KIND } from './template-references.ts';

/**
 * When Prefect fills in the parameters:
 * - `now`: once, and the run gets the result.
 * - `later`: not at all, or once more at another time.
 * - `rendered`: an automation does, and reads text as a template.
 */
export type Filling = 'now' | 'later' | 'rendered';

/** More parameters than people write for a flow. Every ask carries them. */
const MOST_NAMES = 200;
const LONGEST_NAME = 200;
const LONGEST_VALUE = 1_024;
/** Canonical text of more nodes would be too long anyway, and no person writes a longer text to fill in. */
const MOST_NODES = 4_096;
const LONGEST_INNER = 65_536;
/** All values together, in characters. */
const LONGEST_WHOLE = 16_384;
/** Different parameter sets in the runs or schedules of one request. */
const MOST_SETS = 100;

/** For parameters without distinct names. The engine denies them where a policy reads parameters. */
const UNNAMED: Facts = { parameter_names: [UNKNOWN], parameter_values: [`${UNKNOWN}=${UNKNOWN}`], parameters_unreadable: true };

/** Empty if no policy reads parameters. Parameters that are left out or null are not given. */
export function parameterFacts({ readsParameters }: Pick<Call, 'readsParameters'>, given: JsonValue | undefined, filling: Filling): Facts {
  if (!readsParameters) return {};
  const set = given ?? {};
  if (!isNamed(set)) return UNNAMED;
  const names = Object.keys(set).sort();
  let left = LONGEST_WHOLE;
  const values = names.map((name) => {
    const known = knownValue(field(set, name) ?? null, filling);
    const text = known === undefined ? undefined : canonicalText(known, Math.min(LONGEST_VALUE, left));
    left -= text?.length ?? 0;
    return `${name}=${text ?? UNKNOWN}`;
  });
  return { parameter_names: names, parameter_values: values, parameters_unreadable: values.some((value, at) => value === `${names[at]}=${UNKNOWN}`) };
}

/** The distinct facts of many parameter sets: of schedules, or of runs. */
export function parameterSets(call: Pick<Call, 'readsParameters'>, given: readonly (JsonValue | undefined)[], filling: Filling): readonly Facts[] {
  if (!call.readsParameters) return [{}];
  const sets = new Map(given.map((each) => parameterFacts(call, each, filling)).map((facts) => [JSON.stringify(facts), facts]));
  return sets.size > MOST_SETS ? [UNNAMED] : [...sets.values()];
}

/** The parameters as the facts have them. Undefined: a value is unknown, or the facts have none. */
export function givenParameters(facts: Facts): JsonObject | undefined {
  const { parameter_names: names, parameter_values: values, parameters_unreadable: isUnreadable } = facts;
  if (!Array.isArray(names) || !Array.isArray(values) || isUnreadable !== false) return undefined;
  return Object.fromEntries(names.map((name, at) => [name, JSON.parse(String(values[at]).slice(`${name}=`.length)) as JsonValue]));
}

function isNamed(given: JsonValue): given is JsonObject {
  if (!isObject(given)) return false;
  const names = Object.keys(given);
  return names.length <= MOST_NAMES && names.every((name) => name.length <= LONGEST_NAME && name.isWellFormed() && name !== KIND && name !== UNKNOWN);
}

/** Undefined: unknown before Prefect fills it in. */
function knownValue(value: JsonValue, filling: Filling): JsonValue | undefined {
  if (!isSmall(value)) return undefined;
  const known = filling === 'now' ? filledIn(value) : value;
  return known === undefined || isOpen(known, filling) ? undefined : known;
}

function isSmall(value: JsonValue): boolean {
  let left = MOST_NODES;
  return walk(value, () => {
    left -= 1;
    return left > 0;
  });
}

/** True when Prefect fills in a part of the value later, or when the value contains a template. */
function isOpen(value: JsonValue, filling: Filling): boolean {
  if (typeof value === 'string') return filling === 'rendered' && isTemplate(value);
  if (isList(value)) return value.some((item) => isOpen(item, filling));
  return isObject(value) && (Object.hasOwn(value, KIND) || Object.values(value).some((item) => isOpen(item, filling)));
}

/** Undefined: a variable, a template, a kind that removes itself, or a kind that Prefect does not know. */
function filledIn(value: JsonValue): JsonValue | undefined {
  if (isList(value)) return allOf(value.map(filledIn));
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, KIND)) return ofKind(value);
  const values = allOf(Object.values(value).map(filledIn));
  return values === undefined ? undefined : Object.fromEntries(Object.keys(value).map((name, at) => [name, values[at] ?? null]));
}

function ofKind(object: JsonObject): JsonValue | undefined {
  const kind = field(object, KIND);
  const value = field(object, 'value');
  if (value === undefined || (kind !== 'none' && kind !== 'json')) return undefined;
  if (kind === 'none') return filledIn(value);
  // Prefect does not fill in the items of a list here.
  const inner = isObject(value) ? filledIn(value) : value;
  if (typeof inner !== 'string') return inner;
  if (inner.length > LONGEST_INNER) return undefined;
  const parsed = parseStrict(Buffer.from(inner, 'utf8'));
  return parsed.ok ? parsed.tree : undefined;
}

function allOf(values: readonly (JsonValue | undefined)[]): readonly JsonValue[] | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === values.length ? known : undefined;
}
