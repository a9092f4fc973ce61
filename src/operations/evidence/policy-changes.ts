// The own policies in force in the period, and each change of them.
import { createTwoFilesPatch } from 'diff';
import type { PolicySet } from '../../store/policy-sets.ts';
import type { EvidenceData, PolicyRow } from './data.ts';

/** `sets`: newest first. */
export function gatherPolicies(sets: readonly PolicySet[], { from, to }: { readonly from: string; readonly to: string }): EvidenceData['policies'] {
  const before = sets.filter((set) => at(set) < to);
  const changes = before.filter((set) => at(set) >= from).reverse();
  const inForce = before.find((set) => at(set) < from);
  return {
    in_force: inForce === undefined ? null : toRow(inForce, ''),
    changes: changes.map((set, index) => toRow(set, differences(changes[index - 1] ?? inForce, set))),
  };
}

function toRow(set: PolicySet, diff: string): PolicyRow {
  return { revision: set.revision, at: at(set), by: set.by, why: set.why, files: Object.keys(set.files).sort(), diff };
}

function differences(former: PolicySet | undefined, set: PolicySet): string {
  const old = former?.files ?? {};
  const names = [...new Set([...Object.keys(old), ...Object.keys(set.files)])].sort();
  const labels = [former === undefined ? 'nothing' : `revision ${former.revision}`, `revision ${set.revision}`] as const;
  return names
    .filter((name) => old[name] !== set.files[name])
    .map((name) => withoutFrame(createTwoFilesPatch(name, name, old[name] ?? '', set.files[name] ?? '', ...labels)))
    .join('\n')
    .trimEnd();
}

function at({ createdMs }: PolicySet): string {
  return new Date(createdMs).toISOString();
}

/** Removes the two lines before the patch, and the tab before its labels. */
function withoutFrame(patch: string): string {
  return patch.replace(/^(?:Index: .*|=+)\n/gm, '').replace(/^([-+]{3} [^\t\n]*)\t/gm, '$1  ');
}
