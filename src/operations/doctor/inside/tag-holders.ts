// The guarded tags, and who may set them, by the store and the configuration. Reads only.
import type { Config } from '../../../config/config.ts';
import { agentId } from '../../../contract/principal.ts';
import { createGuardedTags } from '../../../contract/scope/guarded.ts';
import type { Grant } from '../../../contract/scope.ts';
import { createRoleBook } from '../../../identity/authn/roles.ts';
import { fromColumn } from '../../../store/lists.ts';
import { openRows, type RowReader } from '../../../store/rows.ts';
import { scopeFromColumn } from '../../../store/scopes.ts';

export interface TagHolders {
  readonly guarded: ReadonlySet<string>;
  /** Undefined: unknown, for example for a person of an identity provider, a run, or a removed token. */
  readonly holds: (principal: string, tag: string) => boolean | undefined;
  /** Who created an object through the gateway. Undefined: unknown. */
  readonly makerOf: (type: string, id: string) => Promise<string | undefined>;
}

/** Undefined: the store cannot be read, which another check reports. */
export async function withTagHolders<T>(
  { storeAt, roles, agents, identityProviders }: TagConfig,
  use: (holders: TagHolders) => Promise<T>,
): Promise<T | undefined> {
  let rows: RowReader | undefined;
  try {
    rows = await openRows(storeAt);
    return rows === undefined ? undefined : await use(await holdersOf(rows, { roles, agents, identityProviders }));
  } catch {
    return undefined;
  } finally {
    await rows?.close();
  }
}

async function holdersOf(store: RowReader, { roles, agents, identityProviders }: Omit<TagConfig, 'storeAt'>): Promise<TagHolders> {
  const tokens = await holdersIn(store, 'SELECT name, roles, scope FROM tokens WHERE revoked_ms IS NULL');
  const accounts = await holdersIn(store, 'SELECT name, roles, scope FROM accounts WHERE removed_ms IS NULL');
  const book = createRoleBook(roles);
  const idps = identityProviders.filter(({ type }) => type === 'accounts').map(({ id }) => id);
  const grants = new Map<string, readonly Grant[]>([
    ...tokens.map((token) => [`token:${token.name}`, book.ofToken(token)] as const),
    ...agents.map((agent) => [agentId(agent.name), agent.grants] as const),
    ...idps.flatMap((idp) => accounts.map((account) => [`${account.name}@${idp}`, book.ofAccount(account, idp)] as const)),
  ]);
  const given = [...tokens, ...accounts].flatMap(({ scope }) => scope ?? []);
  return {
    guarded: await createGuardedTags({ roles, agents }, async () => given)(),
    holds: (principal, tag) => grants.get(principal)?.some(({ scope }) => scope === null || scope.tags?.includes(tag) === true),
    async makerOf(type, id) {
      const [maker] = await store.all('SELECT principal FROM makers WHERE type = ? AND id = ?', type, id);
      const principal = maker?.['principal'];
      return typeof principal === 'string' ? principal : undefined;
    },
  };
}

type TagConfig = Pick<Config, 'storeAt' | 'roles' | 'agents' | 'identityProviders'>;

async function holdersIn(store: RowReader, query: string) {
  const rows = await store.all(query);
  return rows.map(({ name, roles, scope }) => ({
    name: String(name),
    roles: fromColumn(String(roles)),
    scope: scopeFromColumn(scope === null ? null : String(scope)),
  }));
}
