// Before the gate, for the token of a flow run on `/events/in`: what an event names is looked up, in order, so that the rules can say whose it is.
import { boundRuns } from '../contract/principal.ts';
import { CLOSE } from '../frames/close-codes.ts';
import type { Frame } from '../frames/inbox.ts';
import { parseStrict } from '../json/strict-json.ts';
import { messageOf, type RelayCore } from './core.ts';
import { FRAME_BOUNDS } from './event-gate.ts';
import { type Passage, straight } from './passage.ts';
import { createScreen, EVENTS_IN } from './screen.ts';
import type { Session } from './session.ts';

export function createEntrance(core: RelayCore, session: Session): Passage {
  const { learnKin } = core.parts;
  const [own] = boundRuns(session.authorization.principal) ?? [];
  if (learnKin === undefined || own === undefined || session.visit.operation?.operationId !== EVENTS_IN) return straight;
  // Frames of one kind all go on the same way.
  const onward = new Map<Frame['kind'], (frame: Frame) => void>();
  const screen = createScreen({
    look: async (frames) => {
      await learnKin(frames.flatMap(eventsIn), own);
      return frames;
    },
    send: (frame) => onward.get(frame.kind)?.(frame),
    source: session.client,
    highWaterBytes: core.limits.highWaterBytes,
    onFailure: (error) => {
      core.log.warn({ path: session.visit.inputs.path, error: messageOf(error) }, 'whose an event is cannot be told: closed with 1012');
      session.client.close(CLOSE.restart, 'Prefect cannot be reached');
    },
  });
  return {
    pass(frame, send) {
      onward.set(frame.kind, send);
      screen.push(frame);
    },
    idle: () => screen.idle(),
  };
}

/** What cannot be read is refused by the gate. */
function eventsIn(frame: Buffer) {
  const parsed = parseStrict(frame, FRAME_BOUNDS);
  return parsed.ok ? [parsed.tree] : [];
}
