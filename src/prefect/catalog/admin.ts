// Health, version, CSRF, settings, default result storage, and two routes that exist only in some configurations.

import { family } from './family.ts';

export const ADMIN = family({ prefix: '/api', resource: 'System', ids: [] }, [
  ['health_check', 'GET /health', 'system.health', 'baseline', 'direct'],
  ['server_version', 'GET /version', 'system.version', 'baseline', 'direct'],
  ['hello', 'GET /hello', 'system.hello', 'baseline', 'direct'],
  ['perform_readiness_check', 'GET /ready', 'system.health', 'baseline', 'direct'],
  ['create_csrf_token', 'GET /csrf-token', 'system.csrf', 'baseline', 'direct'],
  ['read_settings', 'GET /admin/settings', 'admin.settings.read', 'read', 'mediated'],
  ['read_version', 'GET /admin/version', 'system.version', 'baseline', 'direct'],
  ['read_server_default_result_storage', 'GET /admin/storage', 'admin.storage.read', 'read', 'direct'],
  ['update_server_default_result_storage', 'PUT /admin/storage', 'admin.storage.write', 'admin', 'mediated'],
  ['clear_server_default_result_storage', 'DELETE /admin/storage', 'admin.storage.write', 'admin', 'mediated'],
  // Only with PREFECT_SERVER_METRICS_ENABLED.
  ['metrics', 'GET /metrics', 'system.metrics', 'admin', 'direct'],
  // Only in Prefect's own test mode.
  ['pid', 'GET /pid', 'system.debug', 'admin', 'deny'],
]);
