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
      return records.filter((_record, index) => objects[index]?.some(({ type, id }) => seen.get(type)?.has(id) === true) === true);
    },
  };
}

/** Null for every kind that scopes say nothing about, and for the gateway's own. */
export function extentOf({ everything, runs, objects }: RecordReader, type: ResourceType): Extent {
  if (everything) return [];
  if (IN_RUNS.includes(type)) return runs;
  return OBJECTS.includes(type) ? objects : null;
}

interface RecordObject {
  readonly type: ResourceType;
  readonly id: string;
}

/** One of them is enough. A binding that a client only claims is not one: any client can claim any run. */
function objectsOf({ resource_type, resource_id, flow_run_id, deployment_id, run_binding }: LedgerRecord): readonly RecordObject[] {
  const isProven = run_binding === 'verified';
  const own = [...IN_RUNS, ...OBJECTS].find((type) => type === resource_type);
  const named: readonly (readonly [ResourceType, string | null])[] = [
    ['FlowRun', isProven ? flow_run_id : null],
    ['Deployment', isProven ? deployment_id : null],
    ...(own === undefined ? [] : [[own, resource_id] as const]),
  ];
  return named.flatMap(([type, id]) => (id === null ? [] : [{ type, id: type === 'WorkPool' ? id : (parseUuid(id) ?? id) }]));
}

async function seenOf(ids: VisibleIds, objects: readonly RecordObject[]): Promise<ReadonlyMap<ResourceType, ReadonlySet<string>>> {
  const byType = Map.groupBy(objects, ({ type }) => type);
  const seen = new Map<ResourceType, ReadonlySet<string>>();
  for (const [type, same] of byType) seen.set(type, await ids(type, [...new Set(same.map(({ id }) => id))]));
  return seen;
}
