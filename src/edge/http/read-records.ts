// The record of a read of the admin API: all of them need `ledger.read`.
import type { FastifyRequest } from 'fastify';
import type { Authorization } from '../../authorization/decide/decider.ts';
import { identityFields } from '../../authorization/decide/identity-fields.ts';
import { parseEdgeInputs } from '../../authorization/decide/inputs.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { RouteParts } from './parts.ts';

interface Answered {
  readonly authorization: Authorization;
  readonly status: number;
}

/** Reads continue while the ledger cannot be written. An unauthenticated request gets its record from the access log, which limits floods. */
export async function recordRead(request: FastifyRequest, { authorization, status }: Answered, { ledger, log, clock, revision }: RouteParts): Promise<void> {
  if (authorization.principal === null) return;
  const inputs = parseEdgeInputs(request.headers);
  const [decision] = authorization.decisions;
  const entry: NewRecord = {
    time: new Date(clock()).toISOString(),
    request_id: inputs.requestId === '' ? null : inputs.requestId,
    ...identityFields(authorization),
    source_ip: inputs.address,
    user_agent: request.headers['user-agent'] ?? null,
    method: request.method,
    path: request.url.split('?', 1)[0] ?? null,
    action: 'ledger.read',
    resource_type: 'System',
    decision: authorization.ok ? 'allow' : 'deny',
    reason: authorization.ok ? 'policy-permits' : authorization.reason,
    policies: decision?.policies ?? [],
    status,
    mode: 'enforce',
    revision,
  };
  await ledger.append(entry).catch((error: unknown) => log.error({ err: error }, 'a read of the admin API could not be recorded'));
}
