// The fields of a record that name the authenticated principal and its credential. They are the same on every path.
import type { NewRecord } from '../../contract/record.ts';
import type { Authorization } from './decider.ts';

type WhoFields = Required<Pick<NewRecord, 'principal' | 'principal_kind' | 'idp' | 'on_behalf_of' | 'credential_id' | 'session_id'>>;

/** Null without authentication. A refused credential and its owner are named: only the record shows them. */
export function identityFields(authorization: Authorization): WhoFields {
  const { credential } = authorization;
  const principal = authorization.principal ?? (authorization.ok ? undefined : authorization.owner);
  return {
    principal: principal?.id ?? null,
    principal_kind: principal?.kind ?? null,
    idp: principal?.idp ?? null,
    on_behalf_of: principal?.onBehalfOf ?? [],
    credential_id: authorization.ok ? authorization.credential.id : authorization.credentialId,
    session_id: credential?.sessionId ?? null,
  };
}
