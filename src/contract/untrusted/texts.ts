// The texts in a value that others wrote: its keys are text like its values.
import { isRawNumber } from '../json/tree.ts';
import { PASSWORD_NAME, SECRET_NAME } from './shapes.ts';

/** `isNamedSecret`: the name of the value says that it is a secret. A number that is a password is given as an empty text. */
export type MapText = (text: string, isNamedSecret: boolean) => string;

/** Beyond depth and items, values are left out. */
export interface Bounds {
  readonly depth: number;
  /** In one list or object. */
  readonly items: number;
  /** Numbers stay as they were written. */
  readonly areNumbersRaw: boolean;
}

/** The value with each text, and each number that is a password, replaced, always in the same order. */
export function mapTexts(value: unknown, map: MapText, bounds: Bounds): unknown {
  return mapAt(value, { map, bounds, depth: 0, isSecret: false, isPassword: false });
}

interface Place {
  readonly map: MapText;
  readonly bounds: Bounds;
  readonly depth: number;
  readonly isSecret: boolean;
  readonly isPassword: boolean;
}

function mapAt(value: unknown, place: Place): unknown {
  if (typeof value === 'string') return place.map(value, place.isSecret);
  if (place.isPassword && (typeof value === 'number' || isRawNumber(value))) return place.map('', true);
  if (isRawNumber(value)) return place.bounds.areNumbersRaw ? value : Number(value.rawJSON);
  if (typeof value !== 'object' || value === null) return value ?? null;
  if (place.depth === place.bounds.depth) return '[cut: too deep]';
  return Array.isArray(value) ? mapList(value, place) : mapObject(value, place);
}

function mapList(list: readonly unknown[], place: Place): unknown {
  const { items } = place.bounds;
  const shown = list.slice(0, items).map((item) => mapAt(item, { ...place, depth: place.depth + 1 }));
  return list.length > items ? [...shown, `[cut: ${list.length - items} more items]`] : shown;
}

function mapObject(value: object, place: Place): unknown {
  const { bounds, map } = place;
  const entries = Object.entries(value);
  const isSchema = place.isSecret && isSchemaOf(value);
  const namesSecret = secretNames(entries);
  const namesPassword = secretNames(entries, PASSWORD_NAME);
  const shown = entries.slice(0, bounds.items).map(([key, item]) => {
    const isSecret = isSchema ? !SCHEMA_WORDS.has(key) : place.isSecret || namesSecret(key);
    const isPassword = isSecret && (place.isPassword || namesPassword(key));
    return [map(key, false), mapAt(item, { ...place, depth: place.depth + 1, isSecret, isPassword })] as const;
  });
  return Object.fromEntries(entries.length > bounds.items ? [...shown, ['[cut]', `${entries.length - bounds.items} more items`]] : shown);
}

/** Which keys of an object name a secret. In a variable or an entry of an environment, another key has the name: `{name: 'DB_PASSWORD', value: ...}`. */
export function secretNames(entries: readonly (readonly [key: string, value: unknown])[], pattern = SECRET_NAME): (key: string) => boolean {
  const isSecretValue = entries.some(([key, name]) => NAMING.has(key) && typeof name === 'string' && pattern.test(name));
  return (key) => pattern.test(key) || (isSecretValue && key === 'value');
}

const NAMING: ReadonlySet<string> = new Set(['name', 'key']);

/** The JSON Schema of a secret parameter is no secret, but its default is. */
function isSchemaOf(value: object): boolean {
  return ['type', '$ref', 'anyOf', 'allOf'].some((key) => Object.hasOwn(value, key));
}

/** Those that say no value. A secret may have a type beside its values too, so all other keys count as values. */
const SCHEMA_WORDS: ReadonlySet<string> = new Set([
  ...['type', '$ref', 'anyOf', 'allOf', 'oneOf', 'properties', 'required', 'items', 'additionalProperties', '$defs', 'definitions'],
  ...['title', 'description', 'format', 'minLength', 'maxLength', 'writeOnly', 'position', 'block_type_slug'],
]);
