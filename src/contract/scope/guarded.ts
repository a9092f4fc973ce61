// Guarded tags: the tags in scopes. They decide who may access an object, so few principals may set or remove them.
import { chainOf, type Principal } from '../principal.ts';
import type { Scope } from '../scope.ts';

/** The tags that are guarded now. */
export type GuardedTags = () => Promise<ReadonlySet<string>>;

interface Scoped {
  readonly scope: Scope | null;
}

/** The scopes of the configuration, and those `given` to tokens and accounts. */
export function createGuardedTags(
  { roles, agents }: { readonly roles: readonly Scoped[]; readonly agents: readonly { readonly grants: readonly Scoped[] }[] },
  given: () => Promise<readonly Scope[]>,
): GuardedTags {
  const bound = [...roles, ...agents.flatMap(({ grants }) => grants)].flatMap(({ scope }) => scope?.tags ?? []);
  return async () => new Set([...bound, ...(await given()).flatMap(({ tags }) => tags ?? [])]);
}

/** False: all roles of the whole chain hold on everything, so the principal may set every tag. A run has its role only for itself. */
export function mustHoldTags(principal: Principal): boolean {
  return chainOf(principal).some(({ kind, grants }) => kind === 'run' || grants.some(({ scope }) => scope !== null));
}
