// Every route of the admin API.
import { agents } from './agents.ts';
import type { ApiRoute } from './api-route.ts';
import { approvals } from './approvals.ts';
import { audit } from './audit/route.ts';
import { me } from './me.ts';

export const API_ROUTES: readonly ApiRoute[] = [me, audit, agents, approvals];
