// Which records of the ledger a principal may read.
import type { Restriction } from './scope.ts';

/** Empty: about all objects of these kinds; null: about none. As in Prefect's lists, an object must be inside every restriction. */
export type Extent = readonly Restriction[] | null;

export interface RecordReader {
  /** Records about everything: logins, tokens and the gateway itself too. The others then count for nothing. */
  readonly everything: boolean;
  /** Records about flow runs and what is in them. */
  readonly runs: Extent;
  /** Records about the other objects of Prefect. */
  readonly objects: Extent;
}

export const EVERY_RECORD: RecordReader = { everything: true, runs: null, objects: null };
export const NO_RECORD: RecordReader = { everything: false, runs: null, objects: null };
