// Logs. Batches reach 4 MB, and a refused one is lost while the run stays green.

import { family } from './family.ts';

export const LOGS = family({ prefix: '/api', resource: 'Log', ids: [] }, [
  ['create_logs', 'POST /logs/', 'logs.write', 'machine', 'direct'],
  ['read_logs', 'POST /logs/filter', 'logs.read', 'read', 'direct'],
]);
