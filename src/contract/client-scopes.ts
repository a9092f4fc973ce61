// OAuth scopes: the rights that a person delegates to a client. A scope only removes rights. Policies still have to permit the rest.
import type { ActionGroup } from './operation.ts';

export const CLIENT_SCOPES = ['prefect:read', 'prefect:run', 'prefect:write', 'lictor:admin'] as const;
export type ClientScope = (typeof CLIENT_SCOPES)[number];

/** What a client at the interface for agents may request without naming scopes. None of its tools is for administrators. */
export const MCP_SCOPES: readonly ClientScope[] = ['prefect:read', 'prefect:run', 'prefect:write'];

const READ: readonly ActionGroup[] = ['baseline', 'read'];

/** The groups of actions that each scope permits. `machine`: requests of a flow's process, so that a flow runs under `lictor exec`. */
const GROUPS: Readonly<Record<ClientScope, readonly ActionGroup[]>> = {
  'prefect:read': READ,
  'prefect:run': [...READ, 'steer', 'machine', 'services'],
  'prefect:write': [...READ, 'secrets', 'override', 'configure'],
  'lictor:admin': ['baseline', 'admin'],
};

/** For the page on which the person allows it. */
export const SCOPE_WORDS: Readonly<Record<ClientScope, string>> = {
  'prefect:read': 'read what you may read',
  'prefect:run': 'start and steer runs',
  'prefect:write': 'change deployments, blocks and other configuration, and read secrets',
  'lictor:admin': 'do what is for administrators',
};

export function isClientScope(text: string): text is ClientScope {
  return CLIENT_SCOPES.some((scope) => scope === text);
}

/** Undefined: the credential has no scopes, so no right is removed. */
export function scopesAllow(scopes: readonly ClientScope[] | undefined, group: ActionGroup | undefined): boolean {
  return scopes === undefined || (group !== undefined && scopes.some((scope) => GROUPS[scope].includes(group)));
}
