// Which worker speaks on a worker's channel: its first frame says so, and is recorded with whose token it came. Nothing is decided by it.
import { type RelayCore, record } from './core.ts';
import type { FrameGate } from './frame-gate.ts';
import type { Session } from './session.ts';

export const WORKER_CHANNEL = 'socket:worker-connect';

const NAME_CHARACTERS = 200;

/** Passes every frame as it is. Without the record an administrator could not tell who has moved to the gateway, and who has not. */
export function createHelloGate(core: RelayCore, session: Session): FrameGate {
  let first = true;
  return (data) => {
    const name = first ? workerName(data) : undefined;
    first = false;
    if (name !== undefined) note(core, session, name);
    return { pass: true, data };
  };
}

function note(core: RelayCore, { visit, authorization }: Session, name: string): void {
  if (visit.operation === undefined) return;
  // A record of its own: the socket's request id has its record since it was opened.
  const own = { ...visit, inputs: { ...visit.inputs, requestId: '' }, operation: { ...visit.operation, resource: 'Worker' as const }, resourceId: name };
  void record(core, own, { authorization: { ...authorization, decisions: [] }, refusal: null }); // never rejects
}

/** Undefined: it is no `worker.hello.v1`. */
function workerName(data: Buffer): string | undefined {
  try {
    const frame: unknown = JSON.parse(data.toString());
    if (!isObject(frame) || !/^worker\.hello\.v\d+$/.test(String(frame['type'])) || !isObject(frame['payload'])) return undefined;
    const name = frame['payload']['worker_name'];
    return typeof name === 'string' && name !== '' ? name.slice(0, NAME_CHARACTERS) : undefined;
  } catch {
    return undefined; // not JSON: Prefect will say so
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
