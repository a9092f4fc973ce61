// Arguments and results that several tools have in common.
import { z } from 'zod';

export const UUID = z.uuid();

/** The filter goes to Prefect, which checks it. Lictor adds the scopes of the principal. */
export function filterOf(name: string, example: string) {
  return z
    .record(z.string(), z.unknown())
    .nullish()
    .describe(`A ${name} of Prefect's REST API, for example ${example}. Only objects that you may read are found.`);
}

export function limitOf(most: number, usual: number) {
  return z.int().min(1).max(most).default(usual).describe('The most objects to return.');
}

/** As in prefect-mcp: a filter by id asks for every field. */
export function isDetailed(filter: Readonly<Record<string, unknown>> | null | undefined): boolean {
  const id = filter?.['id'];
  return typeof id === 'object' && id !== null && Object.hasOwn(id, 'any_');
}
