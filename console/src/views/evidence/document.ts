// The report as the gateway describes it: sections of blocks (src/operations/evidence/document.ts makes it).

export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'note'; readonly tone: string; readonly text: string }
  | { readonly kind: 'facts'; readonly rows: readonly (readonly [label: string, value: string])[] }
  | Table
  | { readonly kind: 'code'; readonly title: string; readonly text: string }
  | { readonly kind: 'days'; readonly days: readonly { readonly day: string; readonly allowed: number; readonly denied: number }[] };

export interface Table {
  readonly kind: 'table';
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly empty: string;
  readonly numbers?: readonly number[];
  /** Many narrow columns. */
  readonly dense?: boolean;
}

export interface ReportSection {
  readonly id: string;
  readonly title: string;
  readonly supports: { readonly soc2: readonly string[]; readonly iso: readonly string[] } | null;
  readonly lead: string;
  readonly blocks: readonly Block[];
}

export interface Document {
  readonly title: string;
  readonly subtitle: string;
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly tiles: readonly { readonly label: string; readonly value: string; readonly detail: string; readonly tone: string }[];
  readonly sections: readonly ReportSection[];
}

const EMPTY: Document = { title: '', subtitle: '', facts: [], tiles: [], sections: [] };

/** The gateway of this console made it, so only a missing part is filled in. */
export function readDocument(given: unknown): Document {
  return { ...EMPTY, ...(typeof given === 'object' && given !== null ? (given as Partial<Document>) : {}) };
}
