// Deleting an artifact: Lictor looks up the artifact's run first, so that the timeline of that run shows the deletion.

import type { JsonValue } from '../../contract/json/tree.ts';
import type { NewRecord } from '../../contract/record.ts';
import { textField } from '../../prefect/client/answer.ts';
import { type Handler, MEBIBYTE, ownAsk, planned } from './handler.ts';

export const deleteArtifact: Handler = {
  operations: ['delete_artifact_artifacts__id__delete'],
  maxBytes: MEBIBYTE,
  async plan(call, lookup) {
    const artifact = await lookup(`/api/artifacts/${call.params['id'] ?? ''}`);
    return planned({ asks: [ownAsk(call)], outcome: (answer) => ({ record: answer.status < 300 ? runOf(artifact) : {} }) });
  },
};

function runOf(artifact: JsonValue): Partial<NewRecord> {
  const run = textField(artifact, 'flow_run_id');
  const task = textField(artifact, 'task_run_id');
  return run === null ? {} : { flow_run_id: run, run_binding: 'verified', ...(task !== null && { task_run_id: task }) };
}
