// The screen of a scoped principal: checks each frame of a stream, in order, before it is forwarded.

import type { Bounds } from '../../contract/json/scan.ts';
import { parseStrict, renderStrict } from '../../contract/json/strict-json.ts';
import { field, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { parseUuid } from '../../contract/json/uuid.ts';
import type { ResourceType } from '../../contract/operation.ts';
import { pauseReading, resumeReading } from '../../prefect/frames/flow-control.ts';
import type { Frame } from '../../prefect/frames/inbox.ts';
import { visibleEvents } from '../../prefect/scope-filter/events.ts';
import type { VisibleIds } from '../../prefect/scope-filter/scope-filter.ts';

/** Each frame in its visible form; null: invisible. Rejects if that is unknown. `fits`: whether a visible event matches the client's filter. */
export type See = (frames: readonly Buffer[], visibleIds: VisibleIds, fits: (event: JsonObject) => boolean) => Promise<readonly (Buffer | null)[]>;

export const EVENTS_IN = 'socket:events-in';
export const EVENTS_OUT = 'socket:events-out';

const SEES: Readonly<Record<string, See>> = {
  [EVENTS_OUT]: seeEvents,
  'socket:logs-out': seeLogs,
};

/** True for a socket whose frames name their objects. */
export function isScreened(operationId: string): boolean {
  return operationId === EVENTS_IN || seeOf(operationId) !== undefined;
}

/** Undefined: the frames of this socket cannot be checked. */
export function seeOf(operationId: string): See | undefined {
  return Object.hasOwn(SEES, operationId) ? SEES[operationId] : undefined;
}

async function seeEvents(...[frames, visibleIds, fits]: Parameters<See>): Promise<readonly (Buffer | null)[]> {
  const events = frames.map((frame) => partOf(frame, 'event'));
  const known = events.filter((event) => event !== undefined);
  const seen = await visibleEvents(known, visibleIds);
  return events.map((event, index) => {
    const shown = event === undefined ? undefined : seen[known.indexOf(event)];
    return shown == null || !fits(shown) ? null : shown === event ? (frames[index] ?? null) : renderStrict({ type: 'event', event: shown });
  });
}

/** A line of log belongs to its flow run, or to its task run if there is no flow. */
async function seeLogs(frames: readonly Buffer[], visibleIds: VisibleIds): Promise<readonly (Buffer | null)[]> {
  const owners = frames.map((frame) => ownerOf(partOf(frame, 'log')));
  const idsOf = (type: ResourceType) => [...new Set(owners.flatMap((owner) => (owner?.type === type ? [owner.id] : [])))];
  const [runs, tasks] = [await visibleIds('FlowRun', idsOf('FlowRun')), await visibleIds('TaskRun', idsOf('TaskRun'))];
  return frames.map((frame, index) => {
    const owner = owners[index];
    return owner !== undefined && (owner.type === 'FlowRun' ? runs : tasks).has(owner.id) ? frame : null;
  });
}

function ownerOf(log: JsonObject | undefined): { readonly type: 'FlowRun' | 'TaskRun'; readonly id: string } | undefined {
  const [run, task] = [idIn(log, 'flow_run_id'), idIn(log, 'task_run_id')];
  if (run !== undefined) return { type: 'FlowRun', id: run };
  return task === undefined ? undefined : { type: 'TaskRun', id: task };
}

function idIn(object: JsonObject | undefined, key: string): string | undefined {
  const value: JsonValue | undefined = object === undefined ? undefined : field(object, key);
  return typeof value === 'string' ? parseUuid(value) : undefined;
}

/** `{"type": NAME, NAME: {...}}`. A frame of another type is dropped. */
export function partOf(frame: Buffer, name: string, bounds: Partial<Bounds> = {}): JsonObject | undefined {
  const parsed = parseStrict(frame, bounds);
  if (!parsed.ok || !isObject(parsed.tree) || field(parsed.tree, 'type') !== name) return undefined;
  const part = field(parsed.tree, name);
  return isObject(part) ? part : undefined;
}

export interface Screen {
  push(frame: Frame): void;
  /** A frame is waiting: a new one must not overtake it. */
  isBusy(): boolean;
  /** Resolves when every pushed frame is forwarded or dropped. */
  idle(): Promise<void>;
}

export interface ScreenEnds {
  /** For text frames. Other frames are forwarded in their place. */
  readonly look: (frames: readonly Buffer[]) => Promise<readonly (Buffer | null)[]>;
  readonly send: (frame: Frame) => void;
  /** The source of the frames. It is paused while too many wait. */
  readonly source: { pause(): void; resume(): void };
  readonly highWaterBytes: number;
  /** Called before many bytes are checked, so that other work can run. */
  readonly turn: () => Promise<void>;
  /** Visibility is unknown: no further frame is forwarded. */
  readonly onFailure: (error: unknown) => void;
}

const AT_ONCE = 100;
const BYTES_AT_ONCE = 256 * 1024;
/** A smaller check takes milliseconds, and other work need not run before it. */
export const SMALL_BYTES = 32 * 1024;

/** In order, in batches: frames gather while the screen waits for an answer of Prefect. */
export function createScreen({ look, send, source, highWaterBytes, turn, onFailure }: ScreenEnds): Screen {
  const waiting: Frame[] = [];
  let bytes = 0;
  let busy = false;
  let broken = false;
  const screen = Symbol('screen');
  let working: Promise<void> = Promise.resolve();
  const hold = (isFull: boolean) => {
    if (isFull) pauseReading(source, screen);
    else resumeReading(source, screen);
  };
  const work = async (): Promise<void> => {
    while (waiting.length > 0) {
      const { frames, size } = await takeSome(waiting, turn);
      const texts = frames.filter(({ kind }) => kind === 'text');
      const seen = await look(texts.map(({ data }) => data));
      for (const frame of frames) {
        const data = frame.kind === 'text' ? (seen[texts.indexOf(frame)] ?? null) : frame.data;
        if (data !== null) send({ ...frame, data });
      }
      bytes -= size;
      hold(bytes > highWaterBytes);
    }
  };
  return {
    push(frame) {
      if (broken) return;
      waiting.push(frame);
      bytes += frame.data.length;
      hold(bytes > highWaterBytes);
      if (busy) return;
      busy = true;
      working = work()
        .catch((error: unknown) => {
          broken = true;
          waiting.length = 0;
          // Reading continues, so that the answer to the close is seen.
          hold(false);
          onFailure(error);
        })
        .finally(() => {
          busy = false;
        });
    },
    isBusy: () => busy,
    idle: () => working,
  };
}

/** A frame larger than a batch is checked alone. */
async function takeSome(waiting: Frame[], turn: ScreenEnds['turn']) {
  let [count, bytes] = [0, 0];
  for (const { data } of waiting.slice(0, AT_ONCE)) {
    bytes += data.length;
    if (count > 0 && bytes > BYTES_AT_ONCE) break;
    count += 1;
  }
  const frames = waiting.splice(0, count);
  const size = frames.reduce((sum, { data }) => sum + data.length, 0);
  if (size > SMALL_BYTES) await turn();
  return { frames, size };
}
