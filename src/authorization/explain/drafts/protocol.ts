// The jobs of the thread for drafts of own policies, and its messages.
import type { PolicyFiles } from '../../../contract/policy-files.ts';
import type { StoreAddress } from '../../../contract/store-address.ts';
import type { ActionEntry } from '../../../prefect/catalog/actions.ts';
import type { FilePatch, LabelledFiles } from '../../policy/own/patches.ts';
import type { TestedPolicies } from '../../policy/own/tested.ts';
import type { PrincipalParts } from '../principal.ts';
import type { SimulationProgress } from '../simulate-ledger.ts';
import type { Simulation } from '../simulation.ts';

export interface CheckJob {
  readonly job: 'check';
  readonly files: PolicyFiles;
  /** The set that `patches` compares with. */
  readonly from: LabelledFiles;
}

export interface CompareJob {
  readonly job: 'compare';
  readonly from: LabelledFiles;
  readonly to: LabelledFiles;
}

export interface SimulateJob {
  readonly job: 'simulate';
  readonly files: PolicyFiles;
  /** RFC 3339 in UTC with milliseconds. */
  readonly since: string;
  readonly nowMs: number;
  readonly config: PrincipalParts['config'];
}

export interface ThreadData {
  readonly actions: readonly ActionEntry[];
  readonly storeAt: StoreAddress;
  readonly ledgerFile: string;
  readonly job: CheckJob | CompareJob | SimulateJob;
}

export type CheckedDraft = TestedPolicies & { readonly patches: readonly FilePatch[] };

export type SimulationStep =
  /** Always the first: the draft is valid. */
  | { readonly type: 'started' }
  /** The only one: the draft is invalid. */
  | { readonly type: 'invalid'; readonly checked: TestedPolicies }
  | { readonly type: 'progress'; readonly progress: SimulationProgress }
  /** The last. */
  | { readonly type: 'simulated'; readonly simulation: Simulation };

export type ThreadMessage =
  | SimulationStep
  | { readonly type: 'checked'; readonly checked: CheckedDraft }
  | { readonly type: 'compared'; readonly patches: readonly FilePatch[] };
