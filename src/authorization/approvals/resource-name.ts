// The name of an object for the person who decides: an id alone says little.
import type { Resource } from '../../contract/decision.ts';
import type { Entities } from '../../prefect/client/entities.ts';

/** Null: the object does not exist, or has no name. */
export function createNameOf(entities: Pick<Entities, 'find'>): (resource: Resource) => Promise<string | null> {
  return async (resource) => {
    const entity = resource.id === null ? null : await entities.find(resource);
    if (entity === null) return null;
    return entity.type === 'FlowRun' && entity.deployment !== null ? `a run of ${entity.deployment}` : (entity.deployment ?? entity.name);
  };
}
