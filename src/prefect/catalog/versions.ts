// Differences between the supported releases of Prefect: added and removed routes. The gateway serves all releases alike. The version that a
// server reports determines the routes that Lictor compares it with.
import type { Operation } from '../../contract/operation.ts';
import { isOlder } from '../../contract/release.ts';
import { family } from './family.ts';
import { OPERATIONS } from './operations.ts';

/** The oldest release with the routes of the catalogue, and the newest that the tests run. */
export const SUPPORTED = { oldest: '3.4.0', newestTested: '3.9.1' } as const;

/** The first release with the route. Routes without an entry exist since 3.4.0. Found by comparing releases. */
const SINCE: Readonly<Record<string, string>> = {
  bulk_delete_flows_flows_bulk_delete_post: '3.6.16',
  bulk_delete_flow_runs_flow_runs_bulk_delete_post: '3.6.16',
  bulk_set_flow_run_state_flow_runs_bulk_set_state_post: '3.6.16',
  bulk_delete_deployments_deployments_bulk_delete_post: '3.6.16',
  bulk_create_flow_runs_from_deployment_deployments__id__create_flow_run_bulk_post: '3.6.16',
  read_work_pool_concurrency_status_work_pools__name__concurrency_status_post: '3.6.23',
  read_work_queue_concurrency_status_work_queues__id__concurrency_status_post: '3.6.23',
  read_server_default_result_storage_admin_storage_get: '3.7.0',
  update_server_default_result_storage_admin_storage_put: '3.7.0',
  clear_server_default_result_storage_admin_storage_delete: '3.7.0',
  read_observed_states_observed_states_get: '3.9.1',
};

/** Routes of older releases only, and the first release without them. None is in the edge's catalogue, so Lictor denies them. */
const FORMER: readonly { readonly before: string; readonly operation: Operation }[] = family({ prefix: '/api', resource: 'System', ids: [] }, [
  ['clear_database', 'POST /admin/database/clear', 'admin.database', 'admin', 'deny'],
  ['drop_database', 'POST /admin/database/drop', 'admin.database', 'admin', 'deny'],
  ['create_database', 'POST /admin/database/create', 'admin.database', 'admin', 'deny'],
]).map((operation) => ({ before: '3.6.16', operation }));

/** Sockets on which servers before that release neither offered the sub-protocol nor read a credential (CVE-2026-7723). */
export const UNGUARDED_SOCKETS: readonly { readonly path: string; readonly before: string }[] = [{ path: '/api/events/in', before: '3.6.14' }];

/** The routes of a server of this version (`/api/admin/version`). An unreadable version counts as the newest. */
export function operationsOf(version: string): readonly Operation[] {
  const has = ({ operationId }: Operation): boolean => isOlder(version, SINCE[operationId] ?? '0.0.0') !== true;
  return [...OPERATIONS.filter(has), ...FORMER.filter(({ before }) => isOlder(version, before) === true).map(({ operation }) => operation)];
}
