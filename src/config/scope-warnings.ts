// Warnings of `check` about sound scopes that are narrower than they look. Lictor rejects nothing for them.
import type { Config } from './config.ts';
import type { Problem } from './problem.ts';

/** Roles that choose where their code runs. */
const DEPLOYS: readonly string[] = ['deployer', 'admin'];

/** A deployment in the pool of another team runs on the workers of that team, unless these select runs by tags. */
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
