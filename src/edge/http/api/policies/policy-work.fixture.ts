// For tests: the work on drafts without threads, and without a runtime that a set comes into force in.
import type { Drafts } from '../../../../authorization/explain/drafts/drafts.ts';
import type { SimulateJob, SimulationStep } from '../../../../authorization/explain/drafts/protocol.ts';
import { patchesBetween } from '../../../../authorization/policy/own/patches.ts';
import { testPolicyFiles } from '../../../../authorization/policy/own/tested.ts';
import type { DraftOutcome, DraftRequest } from '../../../../contract/policy-outcome.ts';
import { collectActions } from '../../../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../../../prefect/catalog/catalogue.ts';
import type { OwnAppParts } from '../../parts.ts';

export interface PolicyWork {
  readonly parts: OwnAppParts['policies'];
  readonly applied: DraftRequest[];
  readonly simulated: Omit<SimulateJob, 'job'>[];
  /** The outcome of each application. */
  outcome: (request: DraftRequest) => Promise<DraftOutcome>;
  obstacle: ReturnType<OwnAppParts['policies']['obstacle']>;
  steps: () => AsyncGenerator<SimulationStep, void>;
}

export function createPolicyWork(): PolicyWork {
  const drafts: Drafts = {
    check: async ({ files, from }) => ({
      ...testPolicyFiles(collectActions(OPERATIONS), files),
      patches: await patchesBetween(from, { label: 'this draft', files }),
    }),
    compare: patchesBetween,
    simulate(question) {
      work.simulated.push(question);
      return work.steps();
    },
    close: async () => undefined,
  };
  const work: PolicyWork = {
    parts: {
      drafts,
      apply(request) {
        work.applied.push(request);
        return work.outcome(request);
      },
      obstacle: () => work.obstacle,
    },
    applied: [],
    simulated: [],
    outcome: async ({ record }) => ((await record({ resource_id: '7 -> 8', reason: 'policies-applied', revision: 8 })) ? APPLIED : NO_RECORD),
    obstacle: undefined,
    async *steps() {
      yield { type: 'started' };
    },
  };
  return work;
}

const APPLIED: DraftOutcome = { applied: true, from: 7, to: 8 };
const NO_RECORD: DraftOutcome = { applied: false, code: 'ledger-unavailable', detail: undefined };
