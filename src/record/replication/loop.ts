// One round of replication after the other: own records to the store, those of other nodes from it. Each direction goes on while the other fails.
import type { SteadyClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { type LedgerShelf, MOST_HEADS, type NodeHead } from '../../store/ledger-shelf.ts';
import { parseStatement } from '../ledger/chain/statement.ts';
import { createTrim } from './departed.ts';
import { endOf, type LocalLedger } from './local-ledger.ts';
import type { OtherNode, ReplicationStatus } from './protocol.ts';
import { createPull, type PullerParts, signedEnd } from './pull.ts';
import { createShipper } from './ship.ts';

export interface LoopParts {
  readonly node: string;
  readonly ledger: LocalLedger;
  readonly shelf: LedgerShelf;
  readonly importRows: PullerParts['importRows'];
  readonly toDisk: () => void;
  readonly steady: SteadyClock;
  /** Of the duty `retention`. Null: another node has it. */
  readonly fence: () => number | null;
  /** Of one batch. Only tests set it. */
  readonly mostRows?: number | undefined;
}

export interface Loop {
  /** Never rejects. False: the store does not take records. */
  ship(): Promise<boolean>;
  /** Never rejects. False: the store does not answer. */
  pull(): Promise<boolean>;
  status(): ReplicationStatus;
}

/** `cameMs`: when its newest head came, on the steady clock. */
type Pulled = Omit<OtherNode, 'silentMs'> & { readonly cameMs: number };

const REFUSED_MS = 5_000;

const CROWDED = `The store has ledgers of ${MOST_HEADS} nodes or more, and this node reads no others. Give nodes names that stay (the key node).`;

export const NOT_OPEN: ReplicationStatus = { waiting: { records: 0, since: null }, problem: null, nodes: [] };

export function createLoop({ node, ledger, shelf, importRows, toDisk, steady, fence, mostRows }: LoopParts): Loop {
  const shipper = createShipper({ node, ledger, shelf, toDisk, mostRows });
  const pullNode = createPull({ ledger, shelf, importRows, mostRows });
  const trimDeparted = createTrim({ node, ledger, shelf, toDisk, fence });
  let shipProblem: string | null = null;
  let pullProblem: string | null = null;
  let nodes: readonly Pulled[] = [];
  /** A chain that does not fit is read again only after a while. */
  const refusedAt = new Map<string, number>();

  async function pullOne(from: NodeHead): Promise<Pulled> {
    const { node: name } = from;
    const former = nodes.find((one) => one.node === name);
    if (former !== undefined && steady() - (refusedAt.get(name) ?? Number.NEGATIVE_INFINITY) < REFUSED_MS) return { ...former, behind: behind(from) };
    const problem = await problemOf(() => pullNode(from));
    if (problem === null) refusedAt.delete(name);
    else refusedAt.set(name, steady());
    return { node: name, behind: behind(from), problem, ...newest(from, former) };
  }

  /** An older head that is there again, and one that the key did not sign, are no news of the node. */
  function newest({ head }: NodeHead, former: Pulled | undefined): Pick<Pulled, 'headAt' | 'cameMs'> {
    const { headAt, cameMs } = former ?? { headAt: null, cameMs: steady() };
    const at = parseStatement(head.text)?.time ?? null;
    const isNewer = at !== null && (headAt === null || at > headAt) && ledger.isSigned(head);
    return isNewer ? { headAt: at, cameMs: steady() } : { headAt, cameMs };
  }

  function behind(from: NodeHead): number {
    try {
      const head = ledger.head();
      const here = head === undefined ? undefined : endOf(head.statement, from.node);
      return Math.max(0, signedEnd(from).seq - (here?.seq ?? 0));
    } catch {
      return 0; // Its head cannot be read: the problem says that.
    }
  }

  async function pullAll(): Promise<void> {
    const heads = await shelf.heads();
    const next: Pulled[] = [];
    for (const one of heads.filter((each) => each.node !== node)) next.push(await pullOne(one));
    nodes = next;
    // A chain with a problem is evidence.
    const whole = new Set(next.filter(({ behind: missing, problem }) => missing === 0 && problem === null).map((one) => one.node));
    await trimDeparted(
      heads.filter((one) => whole.has(one.node)),
      heads,
    );
    if (heads.length === MOST_HEADS) throw new LictorError('replication-crowded', CROWDED);
  }

  return {
    async ship() {
      shipProblem = await problemOf(() => shipper.ship());
      return shipProblem === null;
    },
    async pull() {
      pullProblem = await problemOf(pullAll);
      return pullProblem === null;
    },
    status: () => ({
      ...{ waiting: shipper.waiting(), problem: shipProblem ?? pullProblem },
      nodes: nodes.map(({ cameMs, ...one }) => ({ ...one, silentMs: steady() - cameMs })),
    }),
  };
}

async function problemOf(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    return problemWords(error);
  }
}

/** Errors of Lictor are in words. The text of another one may quote a record. */
export function problemWords(error: unknown): string {
  if (error instanceof LictorError) return error.message;
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}
