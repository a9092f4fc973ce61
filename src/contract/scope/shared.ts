// Actions on objects that no team owns. A role with a scope needs them too.
import type { ActionName } from '../operation.ts';

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
