// Every route of the admin API.
import { agents } from './agents.ts';
import type { ApiRoute } from './api-route.ts';
import { approvals } from './approvals.ts';
import { audit } from './audit/route.ts';
import { me } from './me.ts';
import { applyPolicies, rollBackPolicies } from './policies/apply.ts';
import { checkPolicies, simulatePolicies } from './policies/drafts.ts';
import { policies, policyDiff, policyHistory, policyRevision } from './policies/read.ts';

export const API_ROUTES: readonly ApiRoute[] = [
  ...[me, audit, agents, approvals],
  ...[policies, policyHistory, policyRevision, policyDiff, checkPolicies, simulatePolicies, applyPolicies, rollBackPolicies],
];
