// The name of the worker on a worker's channel: its first frame contains it, and is recorded with the principal. The frame may also bring the template of a new
// pool. Lictor rejects the same templates here as elsewhere (prefect/job-problems.ts, remote-schema.ts), and one that names the address of the gateway.

import { parseStrict } from '../../contract/json/strict-json.ts';
import { field, isObject, type JsonObject } from '../../contract/json/tree.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { WorkerChannel } from '../../contract/worker-channel.ts';
import { problemOfTemplate } from '../../prefect/client/job-problems.ts';
import { leadsOut, remoteDetail } from '../../prefect/client/remote-schema.ts';
import { CLOSE, refusalReason } from '../../prefect/frames/close-codes.ts';
import { type RelayCore, record } from './core.ts';
import type { FrameGate } from './frame-gate.ts';
import type { Session } from './session.ts';

export const WORKER_CHANNEL = 'socket:worker-connect';

const NAME_CHARACTERS = 200;

/** Passes every frame unchanged. Exception: a first frame with such a template ends the channel. The record of names shows administrators which workers use the gateway. */
export function createHelloGate(core: RelayCore, session: Session): FrameGate {
  let first = true;
  return (data) => {
    const payload = first ? helloIn(data) : undefined;
    first = false;
    hear(core, session);
    if (payload === 'ambiguous') return end(session, 'env-reserved', 'The first frame of a channel can be read in two ways.');
    if (payload === undefined) return { pass: true, data };
    const template = field(payload, 'default_base_job_template');
    const problem = problemOfTemplate(template, 'default_base_job_template');
    if (problem !== undefined) return end(session, 'env-reserved', problem);
    if (isObject(template) && leadsOut(field(template, 'variables')))
      return end(session, 'body-invalid', remoteDetail('variables in default_base_job_template'));
    const name = field(payload, 'worker_name');
    if (typeof name === 'string' && name !== '') announce(core, session, name.slice(0, NAME_CHARACTERS));
    return { pass: true, data };
  };
}

/** A worker whose channel is denied continues by HTTP, where it gets the same answer. */
function end({ client }: Session, code: ReasonCode, detail: string): ReturnType<FrameGate> {
  client.close(CLOSE.policy, refusalReason(code));
  return { pass: false, dropped: { code, detail, subject: null } };
}

/** The channels of workers that are open now. */
export function workerChannels({ sessions }: RelayCore): readonly WorkerChannel[] {
  return [...sessions].flatMap(({ worker, visit: { resourceId }, authorization: { principal } }) =>
    worker === undefined || resourceId === null ? [] : [{ pool: resourceId, principal: principal.id, ...worker }],
  );
}

function hear({ parts }: RelayCore, session: Session): void {
  if (session.worker !== undefined) session.worker = { ...session.worker, heardMs: parts.clock() };
}

function announce(core: RelayCore, session: Session, name: string): void {
  const nowMs = core.parts.clock();
  session.worker = { name, sinceMs: nowMs, heardMs: nowMs };
  note(core, session, name);
}

function note(core: RelayCore, { visit, authorization }: Session, name: string): void {
  if (visit.operation === undefined) return;
  // A separate record: the socket's request id has had its record since the opening.
  const own = { ...visit, inputs: { ...visit.inputs, requestId: '' }, operation: { ...visit.operation, resource: 'Worker' as const }, resourceId: name };
  void record(core, own, { authorization: { ...authorization, decisions: [] }, refusal: null }); // never rejects
}

/** The payload of a `worker.hello.v1`. Undefined: another frame, which Prefect rejects. `ambiguous`: Prefect may parse it differently. */
function helloIn(data: Buffer): JsonObject | 'ambiguous' | undefined {
  const parsed = parseStrict(data);
  if (!parsed.ok) return isJson(data) ? 'ambiguous' : undefined;
  const type = isObject(parsed.tree) ? field(parsed.tree, 'type') : undefined;
  const payload = isObject(parsed.tree) ? field(parsed.tree, 'payload') : undefined;
  return typeof type === 'string' && /^worker\.hello\.v\d+$/.test(type) && isObject(payload) ? payload : undefined;
}

/** Also for Prefect's parser, which accepts NaN and a byte order mark: every text with a brace counts as JSON. */
function isJson(data: Buffer): boolean {
  return data.includes('{');
}
