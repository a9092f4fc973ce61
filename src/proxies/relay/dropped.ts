// Records of frames that a gate dropped: one for each, but a bounded number in a flood.
import { type RelayCore, record } from './core.ts';
import type { Dropped } from './frame-gate.ts';
import type { Session } from './session.ts';

const PERIOD_MS = 60_000;
const RECORDS_A_PERIOD = 20;
/** Of the client's text in a record. */
const SUBJECT_CHARACTERS = 200;

/** For one socket. Drops beyond the bound are counted and logged when the next period begins. */
export function createDropRecorder(core: RelayCore, session: Session): (dropped: Dropped) => void {
  const { visit } = session;
  const { requestId, address, path } = visit.inputs;
  let since = Number.NEGATIVE_INFINITY;
  let count = 0;
  return ({ code, detail, subject }) => {
    const now = core.parts.steady();
    if (now - since >= PERIOD_MS) {
      if (count > RECORDS_A_PERIOD) core.log.warn({ request_id: requestId, address, path, count: count - RECORDS_A_PERIOD }, 'more frames were dropped');
      since = now;
      count = 0;
    }
    count += 1;
    if (count > RECORDS_A_PERIOD) return;
    const about = subject?.slice(0, SUBJECT_CHARACTERS) ?? null;
    core.log.warn({ request_id: requestId, address, path, code, detail, event: about }, 'a frame was dropped');
    // A separate record: the socket's request id has had its record since the opening.
    const own = { ...visit, inputs: { ...visit.inputs, requestId: '' }, resourceId: about };
    void record(core, own, { authorization: { ...session.authorization, decisions: [] }, refusal: code }); // never rejects
  };
}
