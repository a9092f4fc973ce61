// Every route of the admin API.
import { ACCESS_ROUTES } from './access/index.ts';
import { agents } from './agents.ts';
import type { ApiRoute } from './api-route.ts';
import { decisions } from './approvals/decide.ts';
import { approvals, myApprovals } from './approvals/lists.ts';
import { oneApproval } from './approvals/one.ts';
import { auditExport } from './audit/export.ts';
import { audit, auditChain, auditRecord, auditWords } from './audit/route.ts';
import { makeEvidence, verifyEvidence } from './evidence/routes.ts';
import { health } from './health/route.ts';
import { IDENTITY_ROUTES } from './identities/index.ts';
import { me } from './me.ts';
import { applyPolicies, rollBackPolicies } from './policies/apply.ts';
import { checkPolicies, simulatePolicies } from './policies/drafts.ts';
import { policies, policyDiff, policyHistory, policyRevision } from './policies/read.ts';
import { runs } from './runs/runs.ts';
import { timeline } from './runs/timeline.ts';
import { stream } from './stream.ts';

export const API_ROUTES: readonly ApiRoute[] = [
  ...[makeEvidence, verifyEvidence],
  ...[audit, auditRecord, auditWords, auditChain, auditExport, stream],
  ...[me, agents, health, runs, timeline],
  ...[approvals, myApprovals, oneApproval, ...decisions],
  ...[policies, policyHistory, policyRevision, policyDiff, checkPolicies, simulatePolicies, applyPolicies, rollBackPolicies],
  ...IDENTITY_ROUTES,
  ...ACCESS_ROUTES,
];
