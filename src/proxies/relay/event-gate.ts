// `/events/in`: each frame is one event, read strictly, decided on, and sent on as it was read.
//
// A refused event is dropped and recorded, and the socket stays. Closing it would do more harm than the event: stock clients resend
// what was not confirmed, the refused one first, and everything behind it would be lost (task run states among it).

import { parseStrict, renderStrict } from '../../contract/json/strict-json.ts';
import type { Principal } from '../../contract/principal.ts';
import type { EventRules } from '../../prefect/events/rules.ts';
import { type FrameGate, passEveryFrame } from './frame-gate.ts';
import type { RelayParts } from './parts.ts';

/** A frame is read at once, while every other socket waits: a tenth of a body's bound. What stock clients send has a hundred values. */
export const FRAME_BOUNDS = { mostNodes: 50_000 };

/** The gates of all sockets; the other four carry no authority of their own, or (the worker's channel) what its role is given for. */
export function createGates(rules: EventRules): NonNullable<RelayParts['gateFor']> {
  return ({ operationId }, { principal }) => (operationId === 'socket:events-in' ? createEventGate(rules, principal) : passEveryFrame);
}

export function createEventGate(rules: EventRules, sender: Principal): FrameGate {
  return (data) => {
    const parsed = parseStrict(data, FRAME_BOUNDS);
    if (!parsed.ok) return { pass: false, dropped: { code: parsed.code, detail: parsed.detail, subject: null } };
    const verdict = rules(parsed.tree, sender);
    if (verdict.ok) return { pass: true, data: renderStrict(parsed.tree) };
    return { pass: false, dropped: { code: verdict.code, detail: verdict.detail, subject: verdict.name } };
  };
}
