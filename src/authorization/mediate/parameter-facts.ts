// The values of parameters as policies see them: names, and `NAME=VALUE` in canonical JSON.
//
// What Prefect will make of a value is what counts: where it fills in `__prefect_kind` by itself (schema_tools/hydration.py of 3.9.1), the filled
// in value; where that hangs on a variable, an event or a later pass, `NAME=?`, which no list of values holds.
import type { Facts } from '../../contract/decision.ts';
import { canonicalText } from '../../contract/json/canonical.ts';
import { parseStrict } from '../../contract/json/strict-json.ts';
import { field, isList, isObject, type JsonObject, type JsonValue, walk } from '../../contract/json/tree.ts';
import { UNKNOWN } from '../policy/facts.ts';
import type { Call } from './family.ts';

/**
 * - `now`: Prefect fills in once, and what comes out is the run's.
 * - `later`: not at all, or once more at another time.
 * - `rendered`: by an automation, which takes text for a template.
 */
export type Filling = 'now' | 'later' | 'rendered';

/** More than a flow has by hand; every ask carries them. */
const MOST_NAMES = 200;
const LONGEST_NAME = 200;
const LONGEST_VALUE = 1_024;
/** A value of more nodes, or a text of more characters that is filled in, is longer than that, or nobody has written it. */
const MOST_NODES = 4_096;
const LONGEST_INNER = 65_536;
/** Of all values together, in characters. */
const LONGEST_WHOLE = 16_384;
/** Runs or schedules of one request with parameters of their own. */
const MOST_SETS = 100;

/** Of parameters that cannot be told apart by name: the engine refuses them where a policy looks at them. */
const UNNAMED: Facts = { parameter_names: [UNKNOWN], parameter_values: [`${UNKNOWN}=${UNKNOWN}`], parameters_unreadable: true };

/** Nothing where no policy looks at them. Left out or null, parameters are not given. */
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

/** The same of many sets, each once: `given` of a schedule or of one run among many. */
export function parameterSets(call: Pick<Call, 'readsParameters'>, given: readonly (JsonValue | undefined)[], filling: Filling): readonly Facts[] {
  if (!call.readsParameters) return [{}];
  const sets = new Map(given.map((each) => parameterFacts(call, each, filling)).map((facts) => [JSON.stringify(facts), facts]));
  return sets.size > MOST_SETS ? [UNNAMED] : [...sets.values()];
}

function isNamed(given: JsonValue): given is JsonObject {
  if (!isObject(given)) return false;
  const names = Object.keys(given);
  return names.length <= MOST_NAMES && names.every((name) => name.length <= LONGEST_NAME && name.isWellFormed() && name !== KIND && name !== UNKNOWN);
}

const KIND = '__prefect_kind';

/** Undefined: it cannot be known. */
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

/** Something is left that is filled in another time, or is a template. */
function isOpen(value: JsonValue, filling: Filling): boolean {
  if (typeof value === 'string') return filling === 'rendered' && /\{[{%#]/.test(value);
  if (isList(value)) return value.some((item) => isOpen(item, filling));
  return isObject(value) && (Object.hasOwn(value, KIND) || Object.values(value).some((item) => isOpen(item, filling)));
}

/** Undefined: a variable, a template, what takes itself away, or a kind that Prefect does not know. */
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
  // What is a list here, Prefect leaves as it is.
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
