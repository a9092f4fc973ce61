// The console in a real browser, before real nginx and Prefect: each view as admin, scoped operator, auditor and viewer.
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { type Stack, startStack } from './stack.ts';
import { walkAccess } from './walks/access.ts';
import { walkApprovals } from './walks/approvals.ts';
import { walkEverywhere } from './walks/everywhere.ts';
import { walkEvidence } from './walks/evidence.ts';
import { walkHealth } from './walks/health.ts';
import { walkIdentities } from './walks/identities.ts';
import { walkPolicies } from './walks/policies.ts';
import { walkRuns } from './walks/runs.ts';
import { walkSearch } from './walks/search.ts';
import { walkShell } from './walks/shell.ts';
import { walkStart } from './walks/start.ts';
import { walkStates } from './walks/states.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterEach(async () => {
  await stack.closePages();
  expect(stack.misdeeds()).toEqual([]);
});
afterAll(() => stack?.close());

/** One for each view; `walks/NAME.ts` registers its tests. */
const WALKS = {
  access: walkAccess,
  identities: walkIdentities,
  policies: walkPolicies,
  runs: walkRuns,
  search: walkSearch,
  shell: walkShell,
  states: walkStates,
  approvals: walkApprovals,
  health: walkHealth,
  evidence: walkEvidence,
  everywhere: walkEverywhere,
  start: walkStart,
} as const;

for (const [name, walk] of Object.entries(WALKS)) describe(name, () => walk(() => stack));
