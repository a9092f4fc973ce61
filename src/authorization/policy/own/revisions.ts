// The own policies that were in force at a revision. Revisions also count changes of the configuration.
import { LictorError } from '../../../contract/error.ts';
import { printable } from '../../../contract/printable.ts';
import { MOST_SETS, type PolicySet, type PolicySets } from '../../../store/policy-sets.ts';
import { isPolicyFile } from './directory.ts';

export interface Revisions {
  readonly sets: Pick<PolicySets, 'at' | 'span'>;
  /** The current revision. Null before the first start. */
  readonly inUse: number | null;
}

/** `revision` null: now. Throws LictorError `revision-future`, `revision-deleted` or `policies-strange`. */
export async function policiesAt({ sets, inUse }: Revisions, revision: number | null): Promise<Pick<PolicySet, 'revision' | 'files'>> {
  const { count, oldest } = await sets.span();
  if (revision !== null && inUse !== null && revision > inUse)
    throw new LictorError('revision-future', `There was no revision ${revision} yet: they go from ${oldest ?? inUse} to ${inUse}, which decides now.`);
  const number = revision ?? Number.MAX_SAFE_INTEGER;
  const set = (await sets.at(number)) ?? beforeTheFirst(count, number);
  if (set === undefined) throw new LictorError('revision-deleted', 'No policies are stored of that time. lictor policy history lists the stored revisions.');
  // The names become paths, and root may run a command that writes them.
  const strange = Object.keys(set.files).find((name) => !isPolicyFile(name));
  if (strange !== undefined)
    throw new LictorError('policies-strange', `The store names a file of revision ${set.revision} ${printable(strange)}: the gateway did not write that.`);
  return set;
}

/** Before the first set there were no own policies. Undefined where that is not certain, because the oldest sets are deleted. */
export function beforeTheFirst(count: number, revision: number): Pick<PolicySet, 'revision' | 'files'> | undefined {
  const isKnown = count > 0 && count < MOST_SETS && revision > 0;
  return isKnown ? { revision, files: {} } : undefined;
}
