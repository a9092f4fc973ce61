// The routes about rights.
import type { ApiRoute } from '../api-route.ts';
import { accessMatrix, unusedRights, whoCan } from './access.ts';
import { explainAccess, explainMine, explainMyRequest, explainPasted, explainRecord } from './explain.ts';

export const ACCESS_ROUTES: readonly ApiRoute[] = [
  whoCan,
  accessMatrix,
  unusedRights,
  explainAccess,
  explainMine,
  explainPasted,
  explainMyRequest,
  explainRecord,
];
