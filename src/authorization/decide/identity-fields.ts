// The fields of a record that name the authenticated principal and its credential. They are the same on every path.
import type { NewRecord } from '../../contract/record.ts';
import type { Authorization } from './decider.ts';

type WhoFields = Required<Pick<NewRecord, 'principal' | 'principal_kind' | 'idp' | 'on_behalf_of' | 'credential_id' | 'session_id'>>;

/** Null without authentication. The credential is named even if Lictor refused it. */
export function identityFields(authorization: Authorization): WhoFields {
  const { principal, credential } = authorization;
  return {
    principal: principal?.id ?? null,
    principal_kind: principal?.kind ?? null,
    idp: principal?.idp ?? null,
    on_behalf_of: principal?.onBehalfOf ?? [],
    credential_id: authorization.ok ? authorization.credential.id : authorization.credentialId,
    session_id: credential?.sessionId ?? null,
  };
}
