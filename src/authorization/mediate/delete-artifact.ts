// Deleting an artifact: its run is looked up first, so that the deletion stands on that run's timeline.

import { field, isObject, type JsonValue } from '../../contract/json/tree.ts';
import type { NewRecord } from '../../contract/record.ts';
import { type Family, MEBIBYTE, ownResource, planned } from './family.ts';

export const deleteArtifact: Family = {
  operations: ['delete_artifact_artifacts__id__delete'],
  maxBytes: MEBIBYTE,
  async plan(call, lookup) {
    const artifact = await lookup(`/api/artifacts/${call.params['id'] ?? ''}`);
    return planned({
      asks: [{ action: call.operation.action, resource: ownResource(call) }],
      intent: true,
      rewrite: () => call.tree,
      outcome: (answer) => ({ record: answer.status < 300 ? runOf(artifact) : {} }),
    });
  },
};

function runOf(artifact: JsonValue | null): Partial<NewRecord> {
  if (!isObject(artifact)) return {};
  const run = field(artifact, 'flow_run_id');
  const task = field(artifact, 'task_run_id');
  if (typeof run !== 'string') return {};
  return { flow_run_id: run, run_binding: 'verified', ...(typeof task === 'string' && { task_run_id: task }) };
}
