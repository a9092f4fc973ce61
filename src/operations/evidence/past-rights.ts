// The rights of a removed principal, from the newest record that gave some.
import type { LedgerRecord } from '../../contract/record.ts';
import type { LedgerReader } from '../../record/ledger/query.ts';
import type { RoleRow } from './data.ts';

export type PastRights = (id: string) => Promise<readonly Pick<RoleRow, 'role' | 'scope' | 'from'>[]>;

/** `to`: later records are ignored. */
export function createPastRights(ledger: Pick<LedgerReader, 'audit'>, to: string): PastRights {
  const newest = async (filter: Parameters<LedgerReader['audit']>[0], id: string): Promise<LedgerRecord | undefined> => {
    let found: LedgerRecord | undefined;
    for await (const record of ledger.audit({ ...filter, until: to })) if (gives(record, id)) found = record;
    return found;
  };
  return async (id) => {
    const isToken = id.startsWith('token:') && !id.includes('@');
    const name = isToken ? id.slice('token:'.length) : id.slice(0, id.lastIndexOf('@'));
    const creation = await newest({ resource: name, action: isToken ? 'token.*' : 'account.*' }, id);
    const login = isToken
      ? undefined
      : ((await newest({ principal: id, action: 'session.login' }, id)) ?? (await newest({ principal: id, action: 'token.exchange' }, id)));
    const record = creation === undefined || (login !== undefined && login.time > creation.time) ? login : creation;
    return (record?.grants ?? []).map(({ role, scope, rules }) => ({ role, scope, from: rules.map((rule) => `${rule}, as of ${record?.time ?? ''}`) }));
  };
}

/** Another kind of principal may have this name, so the grant must name the principal. */
function gives({ grants, decision }: LedgerRecord, id: string): boolean {
  return decision === 'allow' && grants !== null && grants.some(({ members }) => members.includes(id));
}
