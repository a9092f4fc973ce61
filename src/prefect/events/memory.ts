// Who sent which event first, and which flow run a task run belongs to: bounded, in memory, for as long as the gateway runs.
import { setBounded } from '../../contract/bounded-map.ts';

export interface EventMemory {
  /** True for the first sender of an id, who may send it again (clients resend what was not confirmed). False for anybody else. */
  claim(eventId: string, principalId: string): boolean;
  /** The flow run that a task run was first reported with. */
  flowRunOf(taskRunId: string): string | undefined;
  noteTaskRun(taskRunId: string, flowRunId: string): void;
}

/** Some 10 MiB each. Beyond it the oldest are forgotten: an id is worth repeating only while its event is news. */
const CAPACITY = 50_000;

export function createEventMemory(capacity = CAPACITY): EventMemory {
  const senders = new Map<string, string>();
  const flowRuns = new Map<string, string>();
  return {
    claim(eventId, principalId) {
      remember(senders, eventId, principalId, capacity);
      return senders.get(eventId) === principalId;
    },
    flowRunOf: (taskRunId) => flowRuns.get(taskRunId),
    noteTaskRun: (taskRunId, flowRunId) => remember(flowRuns, taskRunId, flowRunId, capacity),
  };
}

/** The first one stays. */
function remember(map: Map<string, string>, key: string, value: string, capacity: number): void {
  if (!map.has(key)) setBounded(map, key, value, capacity);
}
