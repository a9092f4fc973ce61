// The questions about rights that the thread of review.ts answers, and its messages.
import type { JsonValue } from '../../../contract/json/tree.ts';
import type { Principal } from '../../../contract/principal.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import type { StoreAddress } from '../../../contract/store-address.ts';
import type { UpstreamReason } from '../../../prefect/client/upstream-error.ts';
import type { OwnPolicies } from '../../policy/own/check.ts';
import type { AccessLine, AccessQuestion, AccessSources } from '../access.ts';
import type { Explanation } from '../explanation.ts';
import type { About, MatrixColumn, MatrixRow } from '../matrix.ts';
import type { ExplainerSources } from '../open.ts';
import type { UnusedLine } from '../unused.ts';

export interface ReviewData {
  readonly config: ExplainerSources['config'] & AccessSources['config'];
  readonly own: Pick<OwnPolicies, 'texts' | 'sources'>;
  readonly revision: number;
  readonly storeAt: StoreAddress;
  readonly ledgerFile: string;
}

/** A page of principals. `after`: the last one of the page before. */
export interface PageOf {
  readonly limit: number;
  readonly after?: string | undefined;
}

/** Who is asked about: by a name, or the principal of the request itself. */
export type Asker = { readonly name: string } | { readonly self: Principal };

export interface Questions {
  readonly whoCan: AccessQuestion & PageOf;
  readonly matrix: PageOf & {
    readonly rows: 'roles' | 'principals';
    readonly about: About /** Part of a principal's id. */;
    readonly search?: string | undefined;
  };
  readonly explain: { readonly who: Asker; readonly action: string; readonly about: About; readonly resource?: string | undefined };
  readonly request: { readonly who: Asker; readonly text: string };
  /** `limited`: for a reader who may see the record, and not the policies and the roles of others. */
  readonly record: { readonly record: LedgerRecord; readonly limited: boolean };
  /** RFC 3339 in UTC with milliseconds. */
  readonly unused: { readonly since: string };
}

export interface Answers {
  readonly whoCan: { readonly lines: readonly AccessLine[]; readonly next: string | null; readonly absent: string | null };
  readonly matrix: {
    readonly columns: readonly MatrixColumn[];
    readonly rows: readonly MatrixRow[];
    readonly next: string | null;
    readonly absent: string | null;
  };
  readonly explain: Explained;
  readonly request: Explained;
  readonly record: ExplainedRecord;
  readonly unused: {
    /** Empty while `counted_to` is a time. */
    readonly lines: readonly UnusedLine[];
    readonly since: string;
    /** The requests before it are counted, and the next such question goes on. Null: all are. */
    readonly counted_to: string | null;
  };
}

export interface Explained {
  readonly explanation: Explanation;
  readonly with_approval: boolean;
  /** What would change the answer. */
  readonly remedies: readonly string[];
}

export interface ExplainedRecord {
  readonly record: LedgerRecord;
  /** Null: the question cannot be asked again; `notes` say why. */
  readonly now: Explained | null;
  /** The decision would be another one now. */
  readonly changed: boolean;
  readonly notes: readonly string[];
}

export type Kind = keyof Questions;
export type Question = { readonly [K in Kind]: { readonly kind: K } & Questions[K] }[Kind];

/** What the thread asks while it works: an object of Prefect, which only the gateway has a credential for. */
export interface LookUp {
  readonly path: string;
  readonly filter: JsonValue | undefined;
}
export type LookedUp = { readonly found: Uint8Array | null } | { readonly failed: UpstreamReason };
