// The built-in roles. What each may do is policy (policy/roles/*.cedar); here are only the names.

export const BUILT_IN_ROLES = ['viewer', 'operator', 'deployer', 'worker', 'run', 'agent', 'auditor', 'admin'] as const;
export type BuiltInRole = (typeof BUILT_IN_ROLES)[number];
