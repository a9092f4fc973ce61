// Which records a reader with limits sees: those about objects that it sees in Prefect's lists too. Fails closed: an unknown object hides its record.
import { parseUuid } from '../../../contract/json/uuid.ts';
import type { ResourceType } from '../../../contract/operation.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import type { Extent, RecordReader } from '../../../contract/record-reader.ts';
import type { VisibleIds } from '../../../prefect/scope-filter/scope-filter.ts';

export interface RecordFilter {
  /** The records that the reader sees, in their order. */
  visible(records: readonly LedgerRecord[]): Promise<readonly LedgerRecord[]>;
  /** Those of these objects that the reader sees. */
  ids: VisibleIds;
}

/** Kinds inside flow runs; their ids are UUIDs. */
const IN_RUNS: readonly ResourceType[] = ['FlowRun', 'TaskRun', 'Artifact'];
/** The others. Teams share flows by their names, so no record about a flow belongs to one team. */
const OBJECTS: readonly ResourceType[] = ['Deployment', 'WorkPool', 'WorkQueue', 'Variable', 'BlockDocument', 'Automation', 'ConcurrencyLimit'];

/** `covered`: the ids that the reader's restrictions cover, by Prefect. It may be asked in a thread. */
export function createRecordFilter(reader: RecordReader, covered: VisibleIds): RecordFilter {
  const ids: VisibleIds = async (type, asked) => {
    const extent = extentOf(reader, type);
    if (extent === null || asked.length === 0) return new Set();
    return extent.length === 0 ? new Set(asked) : covered(type, asked);
  };
  return {
    ids,
    async visible(records) {
      if (reader.everything) return records;
      const objects = records.map(objectsOf);
      const seen = await seenOf(ids, objects.flat());
      return records.filter((_record, index) => isVisible(objects[index] ?? [], seen));
    },
  };
}

/** Null for every kind that scopes say nothing about, and for the gateway's own. */
export function extentOf({ everything, runs, objects }: RecordReader, type: ResourceType): Extent {
  if (everything) return [];
  if (IN_RUNS.includes(type)) return runs;
  return OBJECTS.includes(type) ? objects : null;
}

/** One object is proven, and the reader sees every one that the record names: a request may name an object of another team. */
function isVisible(objects: readonly RecordObject[], seen: ReadonlyMap<ResourceType, ReadonlySet<string>>): boolean {
  return objects.some(({ isProven }) => isProven) && objects.every(({ type, id }) => seen.get(type)?.has(id) === true);
}

interface RecordObject {
  readonly type: ResourceType;
  readonly id: string;
  /** False: any client can claim any run. */
  readonly isProven: boolean;
}

function objectsOf({ resource_type, resource_id, flow_run_id, deployment_id, run_binding }: LedgerRecord): readonly RecordObject[] {
  const isBound = run_binding === 'verified';
  const own = [...IN_RUNS, ...OBJECTS].find((type) => type === resource_type);
  const named: readonly (readonly [type: ResourceType, id: string | null, isProven: boolean])[] = [
    ['FlowRun', flow_run_id, isBound],
    ['Deployment', deployment_id, isBound],
    ...(own === undefined ? [] : [[own, resource_id, true] as const]),
  ];
  return named.flatMap(([type, id, isProven]) => (id === null ? [] : [{ type, id: type === 'WorkPool' ? id : (parseUuid(id) ?? id), isProven }]));
}

async function seenOf(ids: VisibleIds, objects: readonly RecordObject[]): Promise<ReadonlyMap<ResourceType, ReadonlySet<string>>> {
  const byType = Map.groupBy(objects, ({ type }) => type);
  const seen = new Map<ResourceType, ReadonlySet<string>>();
  for (const [type, same] of byType) seen.set(type, await ids(type, [...new Set(same.map(({ id }) => id))]));
  return seen;
}
