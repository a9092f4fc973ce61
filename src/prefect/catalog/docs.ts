// Prefect's API documents and their static files: at the root and below /api.

import { family } from './family.ts';

export const DOCS = family({ prefix: '', resource: 'Ui', ids: [] }, [
  ['', 'GET /docs', 'docs.read', 'read', 'direct', { operationId: 'docs:root-swagger' }],
  ['', 'GET /docs/oauth2-redirect', 'docs.read', 'read', 'direct', { operationId: 'docs:root-oauth2-redirect' }],
  ['', 'GET /redoc', 'docs.read', 'read', 'direct', { operationId: 'docs:root-redoc' }],
  ['', 'GET /openapi.json', 'docs.read', 'read', 'direct', { operationId: 'docs:root-openapi' }],
  ['', 'GET /api/docs', 'docs.read', 'read', 'direct', { operationId: 'docs:api-swagger' }],
  ['', 'GET /api/docs/oauth2-redirect', 'docs.read', 'read', 'direct', { operationId: 'docs:api-oauth2-redirect' }],
  ['', 'GET /api/redoc', 'docs.read', 'read', 'direct', { operationId: 'docs:api-redoc' }],
  ['', 'GET /api/openapi.json', 'docs.read', 'read', 'direct', { operationId: 'docs:api-openapi' }],
  ['', 'GET /api/static/*', 'docs.read', 'read', 'direct', { operationId: 'docs:api-static' }],
]);
