// Why the gateway cannot replace the files of own policies.
import { accessSync, constants } from 'node:fs';
import type { PolicyFiles } from '../../../contract/policy-files.ts';
import type { ReasonCode } from '../../../contract/reasons.ts';
import { readPolicyDirectory } from './directory.ts';

export interface Obstacle {
  readonly code: ReasonCode;
  /** Undefined: that of the code. */
  readonly detail?: string;
}

/** Undefined: the files can be replaced, and no edit on the disk is lost. `directory` null: none is configured. */
export function obstacleToReplace(directory: string | null, inForce: PolicyFiles): Obstacle | undefined {
  if (directory === null) return { code: 'policies-no-directory' };
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch {
    return { code: 'policies-read-only' };
  }
  const { files, problems } = readPolicyDirectory(directory);
  const [problem] = problems;
  if (problem !== undefined) return { code: 'policies-unapplied', detail: `${problem.file ?? 'The directory of policies'}: ${problem.message}.` };
  const names = [...new Set([...Object.keys(files), ...Object.keys(inForce)])].filter((name) => files[name] !== inForce[name]);
  if (names.length === 0) return undefined;
  return { code: 'policies-unapplied', detail: `Files on the disk differ from the policies in force: ${names.sort().join(', ')}.` };
}
