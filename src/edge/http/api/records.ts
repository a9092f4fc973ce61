// The records of the admin API: a read when it is answered, a change before it takes effect, a rejection always.

import type { Authorization } from '../../../authorization/decide/decider.ts';
import { identityFields } from '../../../authorization/decide/identity-fields.ts';
import { parseEdgeInputs } from '../../../authorization/decide/inputs.ts';
import { REASONS, type ReasonCode } from '../../../contract/reasons.ts';
import type { NewRecord } from '../../../contract/record.ts';
import type { CallContext, ChangeRecord } from './api-route.ts';

interface Answered {
  readonly authorization: Authorization;
  readonly action: string;
  readonly resourceType: string;
  /** The reason of a rejection; null: answered. */
  readonly refused: ReasonCode | null;
}

type RecordParts = Pick<CallContext['parts'], 'ledger' | 'log' | 'clock' | 'revision' | 'config'>;
type Request = CallContext['request'];

/** Reads continue while the ledger cannot be written. An unauthenticated request gets its record from the access log, which limits floods. */
export async function recordAnswer(request: Request, answered: Answered, parts: RecordParts): Promise<void> {
  if (identityFields(answered.authorization).principal === null) return;
  const entry = { ...baseOf(request, answered.authorization, parts), ...outcomeOf(answered), action: answered.action, resource_type: answered.resourceType };
  await parts.ledger.append(entry).catch((error: unknown) => parts.log.error({ err: error }, 'a request of the admin API could not be recorded'));
}

/** False: the change must not happen. */
export async function recordChange(request: Request, authorization: Authorization, change: ChangeRecord, parts: RecordParts): Promise<boolean> {
  try {
    await parts.ledger.append({ ...baseOf(request, authorization, parts), ...outcomeOf({ authorization, refused: null }), ...change });
    return true;
  } catch (error) {
    parts.log.error({ err: error, action: change.action }, 'a change over the admin API could not be recorded');
    return !parts.config.ledger.failClosed;
  }
}

function baseOf(request: Request, authorization: Authorization, { clock, revision }: RecordParts): NewRecord {
  const inputs = parseEdgeInputs(request.headers);
  return {
    time: new Date(clock()).toISOString(),
    request_id: inputs.requestId === '' ? null : inputs.requestId,
    ...identityFields(authorization),
    source_ip: inputs.address,
    user_agent: request.headers['user-agent'] ?? null,
    method: request.method,
    path: request.url.split('?', 1)[0] ?? null,
    policies: authorization.decisions[0]?.policies ?? [],
    mode: 'enforce',
    revision,
  };
}

/** A request with a right and with faulty input stays allowed: its status says what happened. */
function outcomeOf({ authorization, refused }: Pick<Answered, 'authorization' | 'refused'>): Pick<NewRecord, 'decision' | 'reason' | 'status'> {
  const isDenied = !authorization.ok || (refused !== null && REASONS[refused].status === 403);
  return {
    decision: isDenied ? 'deny' : 'allow',
    reason: refused !== null && isDenied ? refused : 'policy-permits',
    status: refused === null ? 200 : REASONS[refused].status,
  };
}
