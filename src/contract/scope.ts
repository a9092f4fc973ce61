// On which of Prefect's objects a role holds.

/**
 * Every key that is given must match (and); one of its values is enough (or). A key counts for the kinds of objects that have what it
 * names; an object of a kind that no given key counts for is outside. So a scope never grows by a key that is left out, and
 * `{tags: [team-a], blocks: ["team-a-*"]}` is: what is tagged `team-a`, and the blocks of that name.
 *
 * | key | counts for |
 * |---|---|
 * | `tags` | deployments, flow runs and what is in them (task runs, logs, artifacts); flows, by their deployments and runs; variables, unless `variables` is given |
 * | `workPools` | pools, their queues and workers; deployments, flow runs and what is in them; flows, by their deployments and runs |
 * | `deployments` | `FLOW/NAME`; deployments, their flow runs and what is in them; flows, by their deployments |
 * | `flows` | flows by name, their deployments, flow runs and what is in them |
 * | `variables`, `blocks`, `automations`, `concurrencyLimits` | objects of that kind, by name |
 * | `own` | what the principal itself has made, of every kind whose maker is known |
 *
 * Names end in `*` for "starts with"; tags and work pools are exact.
 */
export interface Scope {
  readonly tags: readonly string[] | null;
  readonly workPools: readonly string[] | null;
  readonly deployments: readonly string[] | null;
  readonly flows: readonly string[] | null;
  readonly variables: readonly string[] | null;
  readonly blocks: readonly string[] | null;
  readonly automations: readonly string[] | null;
  readonly concurrencyLimits: readonly string[] | null;
  readonly own: boolean;
}

export type ScopeList = Exclude<keyof Scope, 'own'>;

/** The keys with lists, as lictor.yaml and `--scope` spell them. */
export const SCOPE_KEYS = {
  tags: 'tags',
  work_pools: 'workPools',
  deployments: 'deployments',
  flows: 'flows',
  variables: 'variables',
  blocks: 'blocks',
  automations: 'automations',
  concurrency_limits: 'concurrencyLimits',
} as const satisfies Record<string, ScopeList>;

/** Nothing is in it: what keys are given is laid over it. */
export const NOWHERE: Scope = {
  tags: null,
  workPools: null,
  deployments: null,
  flows: null,
  variables: null,
  blocks: null,
  automations: null,
  concurrencyLimits: null,
  own: false,
};

/** One of these scopes must cover an object that this principal sees, changes or counts. Without scopes, it sees no object. */
export interface Restriction {
  readonly principalId: string;
  readonly scopes: readonly Scope[];
}

/** A role that a principal holds, and on what; null: on everything. */
export interface Grant {
  readonly role: string;
  readonly scope: Scope | null;
}

/** Grants of these roles on everything. */
export function everywhere(roles: readonly string[]): readonly Grant[] {
  return roles.map((role) => ({ role, scope: null }));
}

/** The names of all roles, sorted, without doubles: for display. What a role may do where is in the grants alone. */
export function roleNames(grants: readonly Grant[]): readonly string[] {
  return [...new Set(grants.map(({ role }) => role))].sort();
}

/** As people write it: `tags=team-a,team-b work_pools=pool-a own`. */
export function scopeText(scope: Scope): string {
  const lists = Object.entries(SCOPE_KEYS).flatMap(([wire, key]) => {
    const values = scope[key];
    return values === null ? [] : [`${wire}=${values.join(',')}`];
  });
  return [...lists, ...(scope.own ? ['own'] : [])].join(' ');
}
