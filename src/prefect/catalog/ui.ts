// The UI: its settings, which the gateway answers itself, and every file of its bundles.

import { family } from './family.ts';

/**
 * `ui:bundle` is the fallback: whatever is outside /api, the docs and Lictor's own paths. The UI's router makes up its own
 * paths, and the server answers each with the page.
 */
export const UI = family({ prefix: '', resource: 'Ui', ids: [] }, [
  ['', 'GET /ui-settings', 'ui.settings', 'baseline', 'mediated', { operationId: 'ui:settings' }],
  ['', 'GET /*', 'ui.bundle', 'baseline', 'direct', { operationId: 'ui:bundle' }],
  ['', 'HEAD /*', 'ui.bundle', 'baseline', 'direct', { operationId: 'ui:bundle-head' }],
]);
