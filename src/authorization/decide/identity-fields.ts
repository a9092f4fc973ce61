// Who an authorization speaks of, in the record's own names: the same in every record, whichever way the request took.
import type { NewRecord } from '../../contract/record.ts';
import type { Authorization } from './decider.ts';

type WhoFields = Required<Pick<NewRecord, 'principal' | 'principal_kind' | 'idp' | 'on_behalf_of' | 'credential_id' | 'session_id'>>;

/** Nulls where nobody was authenticated; the credential is named also when it was refused. */
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
