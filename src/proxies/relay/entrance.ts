// Before the gate of `/events/in`: large frames take turns, since the gate reads each at once. For the token of a flow run, what an event names is
// looked up, in order, so that the rules can say whose it is; and a guarded tag that is not the run's goes no further.

import { parseStrict } from '../../contract/json/strict-json.ts';
import type { JsonValue } from '../../contract/json/tree.ts';
import { boundRuns } from '../../contract/principal.ts';
import { CLOSE } from '../../prefect/frames/close-codes.ts';
import type { Frame } from '../../prefect/frames/inbox.ts';
import { messageOf, type RelayCore } from './core.ts';
import { FRAME_BOUNDS } from './event-gate.ts';
import type { Dropped } from './frame-gate.ts';
import { guardedIn } from './guarded-tags.ts';
import { type Passage, straight } from './passage.ts';
import { createScreen, EVENTS_IN, SMALL_BYTES } from './screen.ts';
import type { Session } from './session.ts';

export function createEntrance(core: RelayCore, session: Session, onDropped: (dropped: Dropped) => void): Passage {
  const { recordLineage } = core.parts;
  const [own] = boundRuns(session.authorization.principal) ?? [];
  if (session.visit.operation?.operationId !== EVENTS_IN) return straight;
  const isRun = recordLineage !== undefined && own !== undefined;
  // Frames of one kind all go on the same way.
  const onward = new Map<Frame['kind'], (frame: Frame) => void>();
  const screen = createScreen({
    look: async (frames) => {
      if (!isRun) return frames;
      const events = frames.map(eventIn);
      await recordLineage(
        events.filter((event) => event !== undefined),
        own,
      );
      const dropped = await guardedIn(core, session, events);
      for (const each of dropped) if (each !== null) onDropped(each);
      return frames.map((frame, place) => ((dropped[place] ?? null) === null ? frame : null));
    },
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

/** What cannot be read is refused by the gate. */
function eventIn(frame: Buffer): JsonValue | undefined {
  const parsed = parseStrict(frame, FRAME_BOUNDS);
  return parsed.ok ? parsed.tree : undefined;
}
