// The first sender of each event, and the flow run of each task run. In memory, so a restart empties it.
import { LRUCache } from 'lru-cache';
import { atMostEntries } from '../../contract/cache-limit.ts';

export interface EventMemory {
  /** True for the first sender of an id, which may send it again: clients resend unconfirmed events. False for other senders. */
  claim(eventId: string, principalId: string): boolean;
  /** The flow run in the first event of a task run. */
  flowRunOf(taskRunId: string): string | undefined;
  noteTaskRun(taskRunId: string, flowRunId: string): void;
}

/** Some 10 MiB each. Clients repeat an event id only while its event is new. */
const CAPACITY = 50_000;

export function createEventMemory(capacity = CAPACITY): EventMemory {
  const senders = new LRUCache<string, string>(atMostEntries(capacity));
  const flowRuns = new LRUCache<string, string>(atMostEntries(capacity));
  return {
    claim(eventId, principalId) {
      remember(senders, eventId, principalId);
      return senders.get(eventId) === principalId;
    },
    flowRunOf: (taskRunId) => flowRuns.get(taskRunId),
    noteTaskRun: (taskRunId, flowRunId) => remember(flowRuns, taskRunId, flowRunId),
  };
}

/** The first one stays. */
function remember(map: LRUCache<string, string>, key: string, value: string): void {
  if (!map.has(key)) map.set(key, value);
}
