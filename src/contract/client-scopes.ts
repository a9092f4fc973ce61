// What a person lets a client do in their name (OAuth scopes). A scope only takes away: what it leaves is still for policies to permit.
import type { ActionGroup } from './operation.ts';

export const CLIENT_SCOPES = ['prefect:read', 'prefect:run', 'prefect:write', 'lictor:admin'] as const;
export type ClientScope = (typeof CLIENT_SCOPES)[number];

const READ: readonly ActionGroup[] = ['baseline', 'read'];

/** Which groups of actions each leaves. `machine`: what the process of a flow does, so that a flow runs under `lictor exec`. */
const GROUPS: Readonly<Record<ClientScope, readonly ActionGroup[]>> = {
  'prefect:read': READ,
  'prefect:run': [...READ, 'steer', 'machine', 'services'],
  'prefect:write': [...READ, 'secrets', 'override', 'configure'],
  'lictor:admin': ['baseline', 'admin'],
};

/** For the page on which it is allowed. */
export const SCOPE_WORDS: Readonly<Record<ClientScope, string>> = {
  'prefect:read': 'read what you may read',
  'prefect:run': 'start and steer runs',
  'prefect:write': 'change deployments, blocks and other configuration, and read secrets',
  'lictor:admin': 'do what is for administrators',
};

export function isClientScope(text: string): text is ClientScope {
  return CLIENT_SCOPES.some((scope) => scope === text);
}

/** Undefined: the credential has no scopes, and nothing is taken away. */
export function scopesAllow(scopes: readonly ClientScope[] | undefined, group: ActionGroup | undefined): boolean {
  return scopes === undefined || (group !== undefined && scopes.some((scope) => GROUPS[scope].includes(group)));
}
