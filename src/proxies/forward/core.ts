// The state that the steps of the forward proxy share: its parts, its bounds, its open connections.
import type { Duplex } from 'node:stream';
import type { Authorization } from '../../authorization/decide/decider.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { ForwardLimits } from './limits.ts';
import type { ForwardParts } from './parts.ts';
import { connectRecord } from './record.ts';
import type { Resolve } from './resolve.ts';
import type { Visit } from './visit.ts';

export type Allowed = Extract<Authorization, { ok: true }>;

/** An allowed connection, from its decision to its end. */
export interface Session {
  readonly visit: Visit;
  readonly client: Duplex;
  /** The latest one. Its expiry is watched. */
  authorization: Allowed;
  /** False: there is no intent to settle, since the ledger failed and was not required. */
  intended: boolean;
}

export interface ForwardCore {
  readonly parts: ForwardParts;
  readonly limits: ForwardLimits;
  readonly resolve: Resolve;
  readonly sessions: Set<Session>;
  /** Records of ended connections that are being written. */
  readonly records: Set<Promise<void>>;
  /** Increased by every recheck: a decision from before is made again. */
  generation: number;
}

/** Never rejects: the refusal stands, recorded or not. */
export async function recordRefusal(core: ForwardCore, visit: Visit, refusal: ReasonCode, authorization: Authorization | null): Promise<void> {
  const { ledger, revision } = core.parts;
  const record = connectRecord(visit, { authorization, refusal, revision: revision() });
  await ledger.append({ ...record, request_id: record.request_id || null }).catch((error: unknown) => notRecorded(core, visit, error));
}

/** False: it could not be recorded, so the connection must not open. */
export async function recordIntent(core: ForwardCore, session: Session): Promise<boolean> {
  const { ledger, revision, failClosed } = core.parts;
  const { visit, authorization } = session;
  try {
    await ledger.intend(connectRecord(visit, { authorization, refusal: null, revision: revision() }));
    session.intended = true;
    return true;
  } catch (error) {
    notRecorded(core, visit, error);
    return !failClosed();
  }
}

/** Never rejects. */
export function recordEnd(core: ForwardCore, session: Session, outcome: Partial<NewRecord>): Promise<void> {
  const written = writeEnd(core, session, outcome).finally(() => core.records.delete(written));
  core.records.add(written);
  return written;
}

async function writeEnd(core: ForwardCore, { visit, authorization, intended }: Session, outcome: Partial<NewRecord>): Promise<void> {
  const { ledger, revision, clock } = core.parts;
  const whole = { ...outcome, duration_ms: Math.max(0, clock() - visit.startedMs) };
  try {
    if (intended) await ledger.settle(visit.inputs.requestId, whole);
    else await ledger.append({ ...connectRecord(visit, { authorization, refusal: null, revision: revision() }), ...whole });
  } catch (error) {
    notRecorded(core, visit, error);
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown error';
}

function notRecorded({ parts }: ForwardCore, { inputs }: Visit, error: unknown): void {
  parts.log.warn({ request_id: inputs.requestId, error: messageOf(error) }, 'a connection of the forward proxy could not be recorded');
}
