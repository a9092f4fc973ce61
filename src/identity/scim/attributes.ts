// The attributes of a user that Lictor stores, and how a value of the provider is read. Others of RFC 7643 are accepted and not stored.
import { invalid } from './error.ts';

export type Json = Readonly<Record<string, unknown>>;

export interface Kind {
  /** As answers write it. */
  readonly name: string;
  readonly type: 'string' | 'boolean' | 'complex';
  readonly multiValued?: boolean;
  /** By lower case. */
  readonly parts?: Readonly<Record<string, string>>;
}

const PARTS = {
  name: { formatted: 'formatted', familyname: 'familyName', givenname: 'givenName' },
  emails: { value: 'value', type: 'type', primary: 'primary' },
} as const;

/** By lower case: names of attributes have no case. */
const USER_ATTRIBUTES: Readonly<Record<string, Kind>> = {
  username: { name: 'userName', type: 'string' },
  externalid: { name: 'externalId', type: 'string' },
  displayname: { name: 'displayName', type: 'string' },
  active: { name: 'active', type: 'boolean' },
  name: { name: 'name', type: 'complex', parts: PARTS.name },
  emails: { name: 'emails', type: 'complex', multiValued: true, parts: PARTS.emails },
};

const NOT_STORED: ReadonlySet<string> = new Set(
  'schemas id meta nickname profileurl title usertype preferredlanguage locale timezone password phonenumbers ims photos addresses groups entitlements roles x509certificates'.split(
    ' ',
  ),
);
const EXTENSION = /^urn:ietf:params:scim:schemas:extension:/i;
const CHARACTERS = 512;
const VALUES = 20;

/** Undefined: known to SCIM, and not stored. Throws `invalidPath` for another name. */
export function kindOf(attribute: string): Kind | undefined {
  const key = attribute.toLowerCase();
  const kind = Object.hasOwn(USER_ATTRIBUTES, key) ? USER_ATTRIBUTES[key] : undefined;
  if (kind === undefined && !NOT_STORED.has(key) && !EXTENSION.test(attribute)) throw invalid('invalidPath', 'A user has no such attribute.');
  return kind;
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Throws `invalidValue`. Entra writes booleans as "True" and "False". */
export function readValue(kind: Kind, value: unknown): unknown {
  if (kind.multiValued === true) {
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (list.length > VALUES) throw invalid('invalidValue', `${kind.name} has more than ${VALUES} values.`);
    return list.map((one) => readParts(kind, one));
  }
  if (kind.type === 'complex') return readParts(kind, value);
  return kind.type === 'boolean' ? readBoolean(kind.name, value) : readText(kind.name, value);
}

export function readText(name: string, value: unknown): string {
  if (typeof value !== 'string' || value.length === 0 || value.length > CHARACTERS || /[\p{Cc}\p{Cs}]/u.test(value))
    throw invalid('invalidValue', `${name} must be a text of 1 to ${CHARACTERS} characters.`);
  return value;
}

function readBoolean(name: string, value: unknown): boolean {
  const text = String(value).toLowerCase();
  if (text !== 'true' && text !== 'false') throw invalid('invalidValue', `${name} must be true or false.`);
  return text === 'true';
}

function readParts({ name, parts = {} }: Kind, value: unknown): Json {
  if (!isJson(value)) throw invalid('invalidValue', `${name} must be an object.`);
  const read: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) {
    const known = parts[key.toLowerCase()];
    if (known !== undefined && part !== null) read[known] = readPart(known, part);
  }
  return read;
}

export function readPart(name: string, value: unknown): unknown {
  return name === 'primary' ? readBoolean(name, value) : readText(name, value);
}
