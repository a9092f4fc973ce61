// A principal's name without its provider or kind -> every principal of that name.
import type { AuditFilter, LedgerReader } from '../query.ts';

/** `alice`: `alice@local` and `alice@corp`; `etl`: `token:etl`. A name that is no such part stays as it is. */
export function withPrincipals<F extends AuditFilter>(ledger: Pick<LedgerReader, 'principals'>, filter: F): F {
  const { principal } = filter;
  if (principal === undefined || /[@:]/.test(principal)) return filter;
  const named = ledger.principals().filter((id) => id === principal || id.startsWith(`${principal}@`) || id.endsWith(`:${principal}`));
  const [only, ...others] = named;
  if (only === undefined) return filter;
  return others.length === 0 ? { ...filter, principal: only } : { ...filter, principal: undefined, principals: named };
}
