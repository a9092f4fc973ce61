// The arguments of a request: what an approval is bound to, and what people see of them.
import { createHash } from 'node:crypto';
import { canonicalText } from '../../contract/json/canonical.ts';
import { field, isList, isObject, isRawNumber, isScalar, type JsonObject, type JsonValue, withoutKeys } from '../../contract/json/tree.ts';
import type { Redactor } from '../../contract/untrusted/redact.ts';
import { secretNames } from '../../contract/untrusted/texts.ts';
import type { Call } from '../mediate/handler.ts';

type Asked = Pick<Call, 'operation' | 'params' | 'inputs' | 'tree'>;

/** SHA-256 of the canonical text (RFC 8785), hexadecimal. Undefined: readers do not agree on a number or a text in it. */
export function hashOf(value: JsonValue): string | undefined {
  const text = canonicalText(value);
  return text === undefined ? undefined : createHash('sha256').update(text).digest('hex');
}

/** Everything that the request says. A change of any value is another request. */
export function argumentsOf({ operation, params, inputs, tree }: Asked, nowMs: number): JsonObject {
  const common = { method: operation.method, operation: operation.operationId, path: params, query: inputs.args };
  return tree === undefined ? common : { ...common, body: withoutNonces(tree, nowMs) };
}

/** Without a zone, Prefect reads UTC, and this process its own zone. */
const ZONED = /(?:Z|[+-]\d\d:\d\d)$/;

/** Clocks of clients are not exact. */
const TOLERANCE_MS = 10_000;

/** Stock clients write a new transition id and the present time into each attempt. A start that is not in the future means "now". */
function withoutNonces(body: JsonValue, nowMs: number): JsonValue {
  const state = field(body, 'state');
  const details = field(state, 'state_details');
  if (!isObject(body) || !isObject(state) || !isObject(details)) return body;
  const time = details['scheduled_time'];
  const isNow = typeof time === 'string' && ZONED.test(time) && Date.parse(time) <= nowMs + TOLERANCE_MS;
  const rest = withoutKeys(details, (key) => key === 'transition_id' || (key === 'scheduled_time' && isNow));
  return { ...body, state: { ...state, state_details: rest } };
}

/** Characters of all texts and keys together, and of one text. */
const MOST_SHOWN = 16_000;
const LONGEST_TEXT = 1000;
const DEEPEST = 16;

/** What is read of a text beyond its bound, to see a secret that goes over it whole. The longest shape has 8,000 characters. */
const MARGIN = 9000;

/** For people. */
export function shownArguments({ params, inputs, tree }: Asked, redactor: Redactor): string {
  return shownJson({ ...params, ...(inputs.args !== '' && { query: inputs.args }), ...(tree !== undefined && { body: tree }) }, redactor);
}

/** A bounded copy without values of keys that name secrets, and without secrets in texts. What is left out stands there as a count. */
export function shownJson(all: JsonValue, redactor: Redactor): string {
  const texts: string[] = [];
  const collect = (text: string): string => {
    texts.push(text.slice(0, LONGEST_TEXT + MARGIN));
    return '';
  };
  shown(all, { left: MOST_SHOWN, show: collect }, 0);
  const redacted = redactor.redact(texts).values();
  const show = (text: string, most: number): string => {
    return boundText(redacted.next().value?.text ?? '', most, Math.max(0, text.length - LONGEST_TEXT - MARGIN));
  };
  return JSON.stringify(shown(all, { left: MOST_SHOWN, show }, 0));
}

interface Room {
  left: number;
  /** Called for each text, always in the same order. `most`: how many characters of it may be shown. */
  readonly show: (text: string, most: number) => string;
}

function shown(value: JsonValue, room: Room, depth: number): JsonValue {
  if (typeof value === 'string') return shownText(value, room);
  if (isScalar(value) || value === null) {
    room.left -= 8;
    // The text of a number may be as long as the body.
    return isRawNumber(value) ? Number(value.rawJSON) : value;
  }
  if (depth === DEEPEST) return '(nested deeper, not shown)';
  if (isList(value)) return shownItems(value, room, depth);
  return isObject(value) ? shownMembers(value, room, depth) : null;
}

function shownText(text: string, room: Room): string {
  const most = Math.max(0, Math.min(LONGEST_TEXT, room.left));
  room.left -= Math.min(text.length, most);
  return room.show(text, most);
}

function boundText(text: string, limit: number, beyond: number): string {
  // What was read last may be the start of a secret.
  const most = beyond > 0 ? Math.max(0, Math.min(limit, text.length - MARGIN)) : limit;
  const missing = Math.max(0, text.length - most) + beyond;
  return missing === 0 ? text : `${text.slice(0, most)} (${missing} more characters, not shown)`;
}

function shownItems(items: readonly JsonValue[], room: Room, depth: number): JsonValue {
  const some: JsonValue[] = [];
  for (const item of items) {
    if (room.left <= 0) return [...some, `(${items.length - some.length} more values, not shown)`];
    some.push(shown(item, room, depth + 1));
  }
  return some;
}

function shownMembers(object: JsonObject, room: Room, depth: number): JsonValue {
  const some = new Map<string, JsonValue>();
  const members = Object.entries(object);
  const namesSecret = secretNames(members);
  for (const [at, [key, value]] of members.entries()) {
    room.left -= key.length;
    if (room.left <= 0) return Object.fromEntries([...some, ['...', `(${members.length - at} more values, not shown)`]]);
    some.set(key, namesSecret(key) && value !== null ? '(a secret, not shown)' : shown(value, room, depth + 1));
  }
  return Object.fromEntries(some);
}
