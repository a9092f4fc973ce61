// Which records of the ledger a principal may read: all, or those about objects in the scopes of its roles.
import type { Authorization, Decider } from '../../../authorization/decide/decider.ts';
import type { EdgeInputs } from '../../../contract/inputs.ts';
import type { ResourceType } from '../../../contract/operation.ts';
import { EVERY_RECORD, type Extent, NO_RECORD, type RecordReader } from '../../../contract/record-reader.ts';
import { READ_RECORDS } from './api-route.ts';

export interface Reading {
  readonly authorization: Authorization;
  readonly reader: RecordReader;
  /** What the decision was about. Its record names the same, so that `simulate` can decide it again. */
  readonly resourceType: ResourceType;
}

/** The authorization is a denial for a principal that may read no record. */
export async function authorizeReading(inputs: EdgeInputs, decider: Pick<Decider, 'authorizeOwn' | 'authorizeOwnList'>): Promise<Reading> {
  const whole = await decider.authorizeOwn(inputs, READ_RECORDS);
  if (whole.ok || whole.principal === null) return { authorization: whole, reader: whole.ok ? EVERY_RECORD : NO_RECORD, resourceType: 'System' };
  const runs = await decider.authorizeOwnList(inputs, READ_RECORDS, 'FlowRun');
  const objects = await decider.authorizeOwnList(inputs, READ_RECORDS, 'Deployment');
  const reader = { everything: false, runs: extentOf(runs), objects: extentOf(objects) };
  if (runs.ok) return { authorization: runs, reader, resourceType: 'FlowRun' };
  return objects.ok ? { authorization: objects, reader, resourceType: 'Deployment' } : { authorization: whole, reader, resourceType: 'System' };
}

function extentOf(answer: Authorization): Extent {
  return answer.ok ? answer.restrictions : null;
}
