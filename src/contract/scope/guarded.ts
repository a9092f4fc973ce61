// Guarded tags: the tags in scopes. They decide who may access an object, so few principals may set or remove them.
import type { Principal } from '../principal.ts';
import type { Scope } from '../scope.ts';

/** The tags that are guarded now. */
export type GuardedTags = () => Promise<ReadonlySet<string>>;

/** `bindings`: of the configuration. `given`: to tokens and accounts. */
export function createGuardedTags(bindings: readonly { readonly scope: Scope | null }[], given: () => Promise<readonly Scope[]>): GuardedTags {
  const bound = bindings.flatMap(({ scope }) => scope?.tags ?? []);
  return async () => new Set([...bound, ...(await given()).flatMap(({ tags }) => tags ?? [])]);
}

/** False: all roles of this principal hold on everything, so it may set every tag. A run has its role only for itself. */
export function mustHoldTags({ kind, grants }: Pick<Principal, 'kind' | 'grants'>): boolean {
  return kind === 'run' || grants.some(({ scope }) => scope !== null);
}
