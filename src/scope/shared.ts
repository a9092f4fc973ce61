// What is no team's own: whoever has a role on some objects needs it as much as one who has it on everything.
import type { ActionName } from '../contract/operation.ts';

/**
 * The health of the server, what kinds of blocks and flows of collections there are, the API's documents, checks that read nothing,
 * and leases of slots, which are their taker's (`lease` of an ask) whatever a scope covers.
 */
const SHARED: ReadonlySet<ActionName> = new Set([
  'system.health',
  'system.version',
  'system.hello',
  'system.csrf',
  'ui.settings',
  'ui.bundle',
  'ui.validate',
  'docs.read',
  'collections.read',
  'blocks.schema.read',
  'templates.validate',
  'admin.settings.read',
  'admin.storage.read',
  'concurrency.lease',
]);

export function isShared(action: ActionName): boolean {
  return SHARED.has(action);
}
