// What `check` says of scopes that are sound, and narrower than they look. Nothing is refused for it.
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';

/** Roles that choose where their code runs. */
const DEPLOYS: readonly string[] = ['deployer', 'admin'];

/** A deployment of one's own team in a pool of another runs on that one's workers, unless those take runs by their tags. */
export function scopeWarnings({ roles }: Pick<Config, 'roles'>): readonly Problem[] {
  return roles.flatMap(({ role, scope }, place) => {
    if (!DEPLOYS.includes(role) || scope === null || scope.tags === null || scope.workPools !== null) return [];
    return [
      {
        path: `roles[${place}].scope`,
        message: `${role} with tags and without work_pools may deploy into every work pool, so that its code runs on any worker that takes runs of all tags`,
        remedy: 'Name the pools of the team: work_pools: [ ... ]. Or give each worker a token whose scope has tags (docs/reference/scopes.md).',
      },
    ];
  });
}
