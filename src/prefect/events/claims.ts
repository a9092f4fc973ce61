// The fields of an event that Lictor decides on (prefect/server/events/schemas/events.py).
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';

export interface Claims {
  readonly id: string;
  readonly name: string;
  /** The resource, and then the related resources. */
  readonly resources: readonly Named[];
  readonly payload: JsonObject;
}

export interface Named {
  readonly id: string;
  /** Empty for the resource itself. */
  readonly role: string;
  /** The names of all its labels. */
  readonly labels: readonly string[];
}

/** Prefect's own default. Records contain the name. */
const LONGEST_NAME = 1024;

/** A sentence when it is no event. Lictor rejects spellings that Prefect accepts but stock clients never send (`urn:uuid:`). */
export function readClaims(tree: JsonValue | undefined): Claims | string {
  if (!isObject(tree)) return 'An event must be an object.';
  const id = parseUuid(field(tree, 'id'));
  if (id === undefined) return 'id must be a UUID.';
  const name = field(tree, 'event');
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME) return `event must be a name of at most ${LONGEST_NAME} characters.`;
  const related = field(tree, 'related') ?? [];
  if (!isList(related)) return 'related must be a list.';
  const resources = [readResource(field(tree, 'resource')), ...related.map(readResource)];
  const sound = resources.filter((resource) => resource !== undefined);
  if (sound.length < resources.length) return 'resource, and each of related, must be an object with a prefect.resource.id.';
  const payload = field(tree, 'payload') ?? {};
  if (!isObject(payload)) return 'payload must be an object.';
  return { id, name, resources: sound, payload };
}

function readResource(value: JsonValue | undefined): Named | undefined {
  if (!isObject(value)) return undefined;
  const id = field(value, 'prefect.resource.id');
  const role = field(value, 'prefect.resource.role') ?? '';
  return typeof id === 'string' && id !== '' && typeof role === 'string' ? { id, role, labels: Object.keys(value) } : undefined;
}
