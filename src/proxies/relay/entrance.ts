// Before the gate of `/events/in`. Large frames take turns, since the gate parses each at once. For a run's token, objects in an event are
// looked up, in order, so that the rules can check their owner. An event with a guarded tag of another owner is dropped.

import { parseStrict } from '../../contract/json/strict-json.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import { boundRuns } from '../../contract/principal.ts';
import { CLOSE } from '../../prefect/frames/close-codes.ts';
import type { Frame } from '../../prefect/frames/inbox.ts';
import { messageOf, type RelayCore } from './core.ts';
import { FRAME_BOUNDS } from './event-gate.ts';
import type { Dropped } from './frame-gate.ts';
import { guardedIn } from './guarded-tags.ts';
import { repeatedWithoutClient } from './last-frames.ts';
import { type Passage, straight } from './passage.ts';
import { createScreen, EVENTS_IN, SMALL_BYTES } from './screen.ts';
import type { Session } from './session.ts';

export function createEntrance(core: RelayCore, session: Session, onDropped: (dropped: Dropped) => void): Passage {
  const { recordLineage } = core.parts;
  const [own] = boundRuns(session.authorization.principal) ?? [];
  if (session.visit.operation?.operationId !== EVENTS_IN) return straight;
  const isRun = recordLineage !== undefined && own !== undefined;
  // Frames of one kind are all forwarded in the same way.
  const onward = new Map<Frame['kind'], (frame: Frame) => void>();
  const screen = createScreen({
    look: repeatedWithoutClient(core, session, async (frames) => {
      if (!isRun) return frames;
      const events = frames.map(eventIn);
      await recordLineage(
        events.filter((event) => event !== undefined),
        own,
      );
      const dropped = await guardedIn(core, session, events);
      for (const each of dropped) if (each !== null) onDropped(each);
      return frames.map((frame, place) => ((dropped[place] ?? null) === null ? frame : null));
    }),
    send: (frame) => onward.get(frame.kind)?.(frame),
    source: session.client,
    highWaterBytes: core.limits.highWaterBytes,
    turn: core.parts.turn,
    onFailure: (error) => {
      core.log.warn({ path: session.visit.inputs.path, error: messageOf(error) }, 'the owner of an event is unknown: closed with 1012');
      session.client.close(CLOSE.restart, 'Prefect cannot be reached');
    },
  });
  return {
    pass(frame, send) {
      if (!isRun && frame.data.length <= SMALL_BYTES && !screen.isBusy()) {
        send(frame);
        return;
      }
      onward.set(frame.kind, send);
      screen.push(frame);
    },
    idle: () => screen.idle(),
  };
}

/** The gate rejects an unreadable frame. */
function eventIn(frame: Buffer): JsonValue | undefined {
  const parsed = parseStrict(frame, FRAME_BOUNDS);
  return parsed.ok ? parsed.tree : undefined;
}
