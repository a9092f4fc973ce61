// The tags of an event: in its related resources, and in the task run that Prefect records from it.
import { field, type JsonValue, textsIn } from '../../contract/json/tree.ts';
import { readClaims } from './claims.ts';

export interface EventTags {
  /** People find the event by these. */
  readonly related: readonly string[];
  /** The task run gets these. */
  readonly recorded: readonly string[];
}

const NONE: EventTags = { related: [], recorded: [] };
const TAG = 'prefect.tag.';

/** An invalid event has none: the rules refuse it. */
export function tagsIn(event: JsonValue | undefined): EventTags {
  const claims = readClaims(event);
  if (typeof claims === 'string') return NONE;
  return {
    related: claims.resources.flatMap(({ id }) => (id.startsWith(TAG) ? [id.slice(TAG.length)] : [])),
    recorded: tagsOf(field(claims.payload, 'task_run')),
  };
}

/** The `tags` of an object of Prefect. */
export function tagsOf(object: JsonValue | null | undefined): readonly string[] {
  return textsIn(field(object, 'tags'));
}
