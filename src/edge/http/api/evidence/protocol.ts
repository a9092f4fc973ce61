// What the thread that makes evidence gets and says (src/operations/evidence/thread.ts).
import type { StatePaths } from '../../../../config/state-dir.ts';

export interface EvidenceJob {
  /** `report`: the files of a period. `verify`: only whether the ledger is unchanged. */
  readonly job: 'report' | 'verify';
  /** RFC 3339 in UTC with milliseconds; `to` is exclusive. */
  readonly from: string;
  readonly to: string;
  /** Who asks for it. */
  readonly by: string;
  readonly nowMs: number;
}

export interface EvidencePlaces {
  readonly configFile: string;
  readonly paths: StatePaths;
}

export interface Verification {
  readonly proven: boolean;
  /** Why not. Null: proven. */
  readonly doubt: string | null;
  readonly records: number;
  /** Signed summaries, each over the records before it. */
  readonly checkpoints: number;
  readonly signed_at: string | null;
  /** Earlier parts that retention deleted. */
  readonly pruned: number;
  readonly problems: readonly string[];
}

export type EvidenceStep =
  | { readonly type: 'progress'; readonly phase: 'period' | 'ledger'; readonly records: number }
  /** The last one. `document`: the report as sections. `files`: what `lictor evidence` writes. */
  | {
      readonly type: 'made';
      readonly document: { readonly title: string };
      readonly files: readonly (readonly [name: string, text: string])[];
      readonly verification: Verification;
    }
  | { readonly type: 'verified'; readonly verification: Verification };

export interface EvidenceDesk {
  /** One at a time: throws LictorError `evidence-busy`, or `evidence-too-long`. It stops when the consumer stops. */
  run(job: EvidenceJob): AsyncGenerator<EvidenceStep, void>;
  close(): Promise<void>;
}
