// The tags that an event carries: as related resources, and in the task run that Prefect makes of it.
import { field, isObject, type JsonValue, textsIn } from '../../contract/json/tree.ts';
import { readClaims } from './claims.ts';

export interface EventTags {
  /** People find the event by these. */
  readonly related: readonly string[];
  /** The task run gets these. */
  readonly recorded: readonly string[];
}

const NONE: EventTags = { related: [], recorded: [] };
const TAG = 'prefect.tag.';

/** What is no event has none: it is refused for that. */
export function tagsIn(event: JsonValue | undefined): EventTags {
  const claims = readClaims(event);
  if (typeof claims === 'string') return NONE;
  const task = field(claims.payload, 'task_run');
  return {
    related: claims.resources.flatMap(({ id }) => (id.startsWith(TAG) ? [id.slice(TAG.length)] : [])),
    recorded: isObject(task) ? tagsOf(task) : [],
  };
}

/** The `tags` of an object of Prefect. */
export function tagsOf(object: JsonValue | null | undefined): readonly string[] {
  return textsIn(field(object, 'tags'));
}
