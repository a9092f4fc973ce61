// Artifacts: what runs write for people to read.

import { family } from './family.ts';

export const ARTIFACTS = family({ prefix: '/api', resource: 'Artifact', ids: ['id'] }, [
  ['create_artifact', 'POST /artifacts/', 'artifacts.write', 'machine', 'direct'],
  ['read_artifact', 'GET /artifacts/{id:uuid}', 'artifacts.read', 'read', 'direct'],
  ['read_latest_artifact', 'GET /artifacts/{key}/latest', 'artifacts.read', 'read', 'direct', { id: 'key' }],
  ['read_artifacts', 'POST /artifacts/filter', 'artifacts.read', 'read', 'direct'],
  ['read_latest_artifacts', 'POST /artifacts/latest/filter', 'artifacts.read', 'read', 'direct'],
  ['count_artifacts', 'POST /artifacts/count', 'artifacts.read', 'read', 'direct'],
  ['count_latest_artifacts', 'POST /artifacts/latest/count', 'artifacts.read', 'read', 'direct'],
  ['update_artifact', 'PATCH /artifacts/{id:uuid}', 'artifacts.write', 'machine', 'direct'],
  ['delete_artifact', 'DELETE /artifacts/{id:uuid}', 'artifacts.delete', 'configure', 'mediated'],
]);
