// The two directions of one socket: for a scoped principal each frame passes a screen; for others all frames pass.
import type { WebSocket } from 'ws';
import { parseStrict } from '../../contract/json/strict-json.ts';
import { isObject, type JsonObject } from '../../contract/json/tree.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import { CLOSE, refusalReason } from '../../prefect/frames/close-codes.ts';
import type { Frame } from '../../prefect/frames/inbox.ts';
import { readEventFilter } from '../../prefect/scope-filter/event-filter.ts';
import { sendableEvents } from '../../prefect/scope-filter/events.ts';
import { partsOf } from '../../prefect/scope-filter/parts-of.ts';
import { foreignTaskRuns, type ScopeFilter, textOf, type VisibleIds } from '../../prefect/scope-filter/scope-filter.ts';
import { createVisibleIds } from '../../prefect/scope-filter/visible-ids.ts';
import { messageOf, type RelayCore } from './core.ts';
import { FRAME_BOUNDS } from './event-gate.ts';
import type { Dropped } from './frame-gate.ts';
import { guardedIn } from './guarded-tags.ts';
import { repeatedWithoutClient } from './last-frames.ts';
import { createScreen, EVENTS_IN, EVENTS_OUT, partOf, type Screen, seeOf } from './screen.ts';
import type { Session } from './session.ts';

export interface Passage {
  pass(frame: Frame, send: (frame: Frame) => void): void;
  /** Resolves when all received frames are forwarded. */
  idle(): Promise<void>;
}

/** How long the answer to "is this run visible?" is cached: as long as for a list. */
const REMEMBERED_MS = 5000;

/** From Prefect: invisible events are left out. */
export function createDelivery(core: RelayCore, session: Session, source: WebSocket): Passage {
  const see = seeOf(session.visit.operation?.operationId ?? '');
  if (see === undefined) return straight;
  const look: Look = async (frames, visibleIds) => {
    const { asked } = session;
    if (asked?.ok === false) return refuseFilter(session, asked.refusal.code, frames);
    return see(frames, visibleIds, asked?.fits ?? (() => false));
  };
  return screened(core, session, { source, look });
}

/** To Prefect: events about invisible objects are dropped and recorded, and the socket stays (event-gate.ts explains why). */
export function createIntake(core: RelayCore, session: Session, onDropped: (dropped: Dropped) => void): Passage {
  if (session.visit.operation?.operationId === EVENTS_OUT) return createFilterIntake(core, session);
  if (session.visit.operation?.operationId !== EVENTS_IN) return straight;
  const look: Look = async (frames, visibleIds, scopeFilter) => {
    const events = frames.map(eventIn);
    const may = await sendableEvents(events, {
      visibleIds,
      foreign: (tasks) => foreignTaskRuns(scopeFilter, tasks),
      partsOf: (wholes) => partsOf(scopeFilter.lookup, wholes),
    });
    // A run's events were checked as they arrived (entrance.ts).
    const tags = session.authorization.principal.kind === 'run' ? [] : await guardedIn(core, session, events);
    const dropped = events.map((event, index) => (may[index] === true ? (tags[index] ?? null) : { ...FOREIGN, subject: textOf(event, 'event') }));
    for (const each of dropped) if (each !== null) onDropped(each);
    return frames.map((frame, index) => (dropped[index] === null ? frame : null));
  };
  return screened(core, session, { source: session.client, look });
}

/** To Prefect: the filter of a stream is forwarded unchanged, or the socket ends. Prefect must not parse a filter that Lictor cannot parse. */
function createFilterIntake(core: RelayCore, session: Session): Passage {
  const look: Look = async (frames) => {
    const { asked } = session;
    return asked?.ok === true ? frames : refuseFilter(session, asked?.refusal.code ?? 'body-invalid', frames);
  };
  const screen = screened(core, session, { source: session.client, look });
  return {
    pass(frame, send) {
      const filter = frame.kind === 'text' && session.asked === undefined ? partOf(frame.data, 'filter', FRAME_BOUNDS) : undefined;
      if (filter !== undefined) session.asked = readEventFilter(filter);
      screen.pass(frame, send);
    },
    idle: screen.idle,
  };
}

function refuseFilter(session: Session, code: ReasonCode, frames: readonly Buffer[]): readonly null[] {
  session.client.close(CLOSE.policy, refusalReason(code));
  return frames.map(() => null);
}

const FOREIGN = { code: 'event-foreign-run', detail: 'The event names what is outside the scope of its sender.' } as const;

export const straight: Passage = { pass: (frame, send) => send(frame), idle: () => Promise.resolve() };

type Look = (frames: readonly Buffer[], visibleIds: VisibleIds, scopeFilter: ScopeFilter) => Promise<readonly (Buffer | null)[]>;

/** The session's latest decision counts: a narrowed scope applies to the open stream. */
function screened(core: RelayCore, session: Session, { source, look }: { readonly source: WebSocket; readonly look: Look }): Passage {
  const { scopeFilterOf, steady } = core.parts;
  if (scopeFilterOf === undefined) return straight;
  const remember = createMemory((scopeFilter) => createVisibleIds(scopeFilter, { steady, forMs: REMEMBERED_MS }));
  let screen: Screen | undefined;
  const seen = async (frames: readonly Buffer[]): Promise<readonly (Buffer | null)[]> => {
    const scopeFilter = scopeFilterOf(session.authorization);
    return scopeFilter === null ? frames : look(frames, remember(scopeFilter), scopeFilter);
  };
  const open = (send: (frame: Frame) => void): Screen =>
    createScreen({
      look: source === session.client ? repeatedWithoutClient(core, session, seen) : seen,
      send,
      source,
      highWaterBytes: core.limits.highWaterBytes,
      turn: core.parts.turn,
      onFailure: (error) => {
        core.log.warn({ path: session.visit.inputs.path, error: messageOf(error) }, 'the scope of a socket is unknown: closed with 1012');
        session.client.close(CLOSE.restart, 'Prefect cannot be reached');
      },
    });
  return {
    pass(frame, send) {
      if (screen === undefined && scopeFilterOf(session.authorization) === null) {
        send(frame);
        return;
      }
      screen ??= open(send);
      screen.push(frame);
    },
    idle: () => screen?.idle() ?? Promise.resolve(),
  };
}

/** The gate has parsed it already. */
function eventIn(frame: Buffer): JsonObject {
  const parsed = parseStrict(frame, FRAME_BOUNDS);
  return parsed.ok && isObject(parsed.tree) ? parsed.tree : {};
}

function createMemory(make: (scopeFilter: ScopeFilter) => VisibleIds): (scopeFilter: ScopeFilter) => VisibleIds {
  let key = '';
  let visibleIds: VisibleIds | undefined;
  return (scopeFilter) => {
    const now = JSON.stringify(scopeFilter.restrictions);
    if (visibleIds === undefined || now !== key) visibleIds = make(scopeFilter);
    key = now;
    return visibleIds;
  };
}
