// `/events/in`: each frame is one event, parsed strictly, decided, and forwarded as it was parsed.
//
// A rejected event is dropped and recorded, and the socket stays. Closing it would do more harm: stock clients resend
// unconfirmed events, the rejected one first, and all later ones would be lost (task run states among them).

import { parseStrict, renderStrict } from '../../contract/json/strict-json.ts';
import type { Principal } from '../../contract/principal.ts';
import type { EventRules } from '../../prefect/events/rules.ts';
import { type FrameGate, passEveryFrame } from './frame-gate.ts';
import type { RelayParts } from './parts.ts';

/** A frame is parsed at once, while all other sockets wait: a tenth of a body's bound. Events of stock clients have about a hundred values. */
export const FRAME_BOUNDS = { mostNodes: 50_000 };

/** The gates of all sockets. The other four sockets carry no authority, or (the worker's channel) only that of its role. */
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
