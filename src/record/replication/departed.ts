// Chains of nodes that are gone: the holder of the duty `retention` deletes in the store what it has deleted here, and signs where they begin now.
import type { LedgerShelf, NodeHead, SignedText } from '../../store/ledger-shelf.ts';
import { parseStatement } from '../ledger/chain/statement.ts';
import { endOf, type LocalLedger } from './local-ledger.ts';
import { signedEnd } from './pull.ts';

/** A node that signed nothing for so long is gone. It does not hold up the deletion of records. */
const ABSENT_MS = 7 * 86_400_000;
export const REMOVED_AT_ONCE = 5_000;

export interface TrimParts {
  readonly node: string;
  readonly ledger: Pick<LocalLedger, 'head'>;
  readonly shelf: LedgerShelf;
  readonly toDisk: () => void;
  /** Of the duty `retention`. Null: another node has it. */
  readonly fence: () => number | null;
}

/** One step for each chain. `heads` are those whose records this node has, `all` those of the store. Rejects with the errors of the store. */
export type TrimDeparted = (heads: readonly NodeHead[], all: readonly NodeHead[]) => Promise<void>;

export function createTrim({ node, ledger, shelf, toDisk, fence: current }: TrimParts): TrimDeparted {
  /** The store has no records of a chain up to this one. */
  const trimmed = new Map<string, number>();

  async function trimOne(name: string, upTo: number, { head, fence }: { readonly head: SignedText; readonly fence: number }): Promise<void> {
    const from = trimmed.get(name) ?? (await beforeFirst(shelf, name)) ?? upTo;
    trimmed.set(name, from);
    const next = Math.min(upTo, from + REMOVED_AT_ONCE);
    if (next <= from) return;
    toDisk();
    if (await shelf.trim(name, next, { start: head, fence })) trimmed.set(name, next);
  }

  return async (heads, all) => {
    const [fence, head] = [current(), ledger.head()];
    if (fence === null || head === undefined) return;
    const nowMs = Date.parse(head.statement.time);
    for (const from of heads) {
      const { node: name } = from;
      if (name === node || !isAbsent(from, nowMs)) continue;
      const start = endOf(head.statement, name)?.from_seq ?? 0;
      await trimOne(name, Math.min(start, signedEnd(from).seq - 1, ...seenByOthers(all, name, nowMs)), { head: head.signed, fence });
    }
  };
}

/** Undefined: the store has no record of this chain. */
export async function beforeFirst(shelf: LedgerShelf, node: string): Promise<number | undefined> {
  const [first] = await shelf.after(node, 0, 1);
  return first === undefined ? undefined : first.seq - 1;
}

/** How far each other node has a chain, by its head. Not checked here: the signature, because a wrong claim only deletes what is old. */
export function seenByOthers(heads: readonly NodeHead[], node: string, nowMs: number): readonly number[] {
  return heads.flatMap((from) => {
    const statement = from.node === node ? undefined : parseStatement(from.head.text);
    return statement === undefined || isAbsent(from, nowMs) ? [] : [endOf(statement, node)?.seq ?? 0];
  });
}

function isAbsent({ head }: NodeHead, nowMs: number): boolean {
  const statement = parseStatement(head.text);
  return statement !== undefined && Date.parse(statement.time) < nowMs - ABSENT_MS;
}
