// Applies a set of own policies that a person wrote in the console: on the base that they saw, and as files, which the next start reads.
import { type Obstacle, obstacleToReplace } from '../authorization/policy/own/obstacle.ts';
import { replaceFiles } from '../authorization/policy/own/replace-files.ts';
import { problemsOf } from '../authorization/policy/own/tested.ts';
import { byWhom } from '../contract/chain-words.ts';
import { LictorError } from '../contract/error.ts';
import type { DraftOutcome, DraftRequest } from '../contract/policy-outcome.ts';
import { type ApplyParts, bringIntoForce, problemsText } from './active-policies.ts';

/** All or none, as `lictor policy apply`. */
export async function applyDraft(parts: ApplyParts, request: DraftRequest): Promise<DraftOutcome> {
  const { shared, current } = parts;
  const { config, policies, revision } = current.get();
  const { files } = request;
  const last = await shared.store.policySets.latest();
  if ((last?.revision ?? 0) !== request.base)
    return refused('policies-changed', last && `${last.by} has applied revision ${last.revision} since, and this draft is based on revision ${request.base}.`);
  const obstacle = obstacleToReplace(config.policies, policies.files);
  if (obstacle !== undefined) return refused(obstacle.code, obstacle.detail);
  const checked = await shared.drafts.check({ files, from: { label: `revision ${request.base}`, files: policies.files } });
  const problems = problemsOf(checked);
  if (problems.length > 0) return refused('policies-invalid', problemsText({ problems }));
  if (checked.patches.length === 0) return refused('policies-same');
  const directory = config.policies ?? '';
  const onDisk = { write: () => replaceFiles(directory, files), restore: () => replaceFiles(directory, policies.files) };
  try {
    const to = await bringIntoForce(parts, { policies: checked.policies, request, record: request.record, files: onDisk });
    return to === null ? refused('ledger-unavailable') : { applied: true, from: revision, to };
  } catch (error) {
    shared.log.error({ err: error, by: byWhom(request.by, request.onBehalfOf) }, 'policies could not be applied');
    if (error instanceof LictorError && error.code === 'policies-read-only') return refused('policies-read-only');
    throw error;
  }
}

function refused(code: Obstacle['code'], detail?: string): Extract<DraftOutcome, { applied: false }> {
  return { applied: false, code, detail };
}
