// The difference of two sets of own policies, as unified patches.
import type { PolicyFiles } from '../../../contract/policy-files.ts';

export interface FilePatch {
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly patch: string;
}

export interface LabelledFiles {
  readonly label: string;
  readonly files: PolicyFiles;
}

/** One for each file that differs, by name. */
export async function patchesBetween(from: LabelledFiles, to: LabelledFiles): Promise<readonly FilePatch[]> {
  const { createTwoFilesPatch } = await import('diff');
  const names = [...new Set([...Object.keys(from.files), ...Object.keys(to.files)])].sort();
  return names.flatMap((name) => {
    const [left, right] = [from.files[name], to.files[name]];
    if (left === right) return [];
    const patch = createTwoFilesPatch(name, name, left ?? '', right ?? '', from.label, to.label).replace(/^=+\n/gm, '');
    return [{ name, change: left === undefined ? 'added' : right === undefined ? 'removed' : 'changed', patch }];
  });
}
