// Records of frames that a gate dropped: each one a record, but no more than a flood of them may write.
import { type RelayCore, record } from './core.ts';
import type { Dropped } from './frame-gate.ts';
import type { Session } from './session.ts';

const PERIOD_MS = 60_000;
const RECORDS_A_PERIOD = 20;
/** Of a client's own text in a record. */
const SUBJECT_CHARACTERS = 200;

/** For one socket. What a period drops beyond the bound is counted, and the log says how much when the next one begins. */
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
    // A record of its own: the socket's request id has its record since it was opened.
    const own = { ...visit, inputs: { ...visit.inputs, requestId: '' }, resourceId: about };
    void record(core, own, { authorization: { ...session.authorization, decisions: [] }, refusal: code }); // never rejects
  };
}
