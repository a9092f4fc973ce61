// The names of the built-in roles. Policies define their rights (policy/roles/*.cedar).

export const BUILT_IN_ROLES = ['viewer', 'operator', 'deployer', 'worker', 'run', 'agent', 'auditor', 'admin'] as const;
export type BuiltInRole = (typeof BUILT_IN_ROLES)[number];

/** An agent never administers the gateway, and reads nothing of it: no budget, taint or redaction covers its API. Workers and runs get tokens of runs that others started. */
export const NOT_FOR_AGENTS: readonly BuiltInRole[] = ['admin', 'auditor', 'worker', 'run'];
