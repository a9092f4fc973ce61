// Chains each record to the one before, and ends each transaction with a signed head. It never signs over a foreign change.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Clock } from '../../../contract/clock.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { GENESIS, hashOf } from './hash.ts';
import { keyIsLost, loadKey, makeNextKey, takeNextKey } from './key-file.ts';
import { type ChainEnd, type Checkpoint, type CheckpointReason, type Head, isSignedBy, type Signed, type SigningKey, signStatement } from './statement.ts';
import { altered, createStored, type StoredCheckpoint, type StoredHead } from './stored.ts';

const CHECKPOINT_EVERY_MS = 3_600_000;
/** With several chains. Else other nodes could not distinguish a node without records from one whose records do not arrive. */
const HEAD_EVERY_MS = 60_000;

/** In one transaction (BEGIN IMMEDIATE): any number of `place` and `moveStart`, then `seal`. After a rollback, create a new chain. */
export interface Chain {
  /** Number, predecessor and hash of the next record. Call `used` after its row is written. */
  place(record: Omit<LedgerRecord, 'seq' | 'prev_hash' | 'hash'>): { readonly record: LedgerRecord; used(): void };
  /** Signs a changed head, and with several chains a head of this minute. Adds a checkpoint every hour, and when there is a reason. */
  seal(reason?: CheckpointReason): void;
  /** Start and end of each chain, this node's first. */
  ends(): readonly ChainEnd[];
  /** The current signing key: SPKI, DER, base64. */
  publicKey(): string;
  /** The signed end of a chain. Undefined: it has no record yet. Throws `ledger-altered` if its records do not end there. */
  endOf(of: string): ChainEnd | undefined;
  /** Records of another ledger were added to a chain, or a chain was added: this is its end now. */
  extend(end: ChainEnd): void;
  /** The records of a chain up to `seq`, whose hash is `hash`, are deleted. */
  moveStart(of: string, seq: number, hash: string): void;
  /** Another key signs from here on. Call the returned function after the transaction is committed. */
  changeKey(): () => void;
  /** Call it after the transaction is committed. */
  committed(): void;
}

/** The last committed head. It outlives a chain that is created anew, and shows if an older head replaces it. */
export interface ChainMemory {
  committed: Head | undefined;
}

export interface ChainParts {
  readonly db: DatabaseSync;
  readonly node: string;
  readonly keyFile: string;
  readonly clock: Clock;
  /** For a process that writes for long. */
  readonly memory?: ChainMemory;
}

export function createChain({ db, node, keyFile, clock, memory = { committed: undefined } }: ChainParts): Chain {
  const stored = createStored(db);
  const last = db.prepare('SELECT seq, hash FROM records WHERE node = ? ORDER BY seq DESC LIMIT 1');
  const foreign = db.prepare("SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view') LIMIT 1");
  /** The head that this process signed last. */
  let known: Signed | undefined;
  let sealed: Head | undefined;
  let key: SigningKey | undefined;
  let open: Open | undefined;
  /** Set even if `begin` fails in this transaction, so that a caller who ignores the failure cannot `seal`. */
  let isAsked = false;
  /** 0: the hour may have passed before this process began. */
  let checkpointDueMs = 0;

  /** An hour after the last checkpoint. Also if that one is in the future, because the clock went back. */
  function isCheckpointDue(): boolean {
    const nowMs = clock();
    return nowMs >= checkpointDueMs || nowMs < checkpointDueMs - 2 * CHECKPOINT_EVERY_MS;
  }

  function isHeadDue(): boolean {
    return sealed !== undefined && sealed.chains.length > 1 && Math.abs(clock() - Date.parse(sealed.time)) >= HEAD_EVERY_MS;
  }

  /** Once in each transaction: loads the key and the head, and checks that the records still end there. */
  function begin(): Open {
    assertOwn(foreign.get());
    const checkpoint = stored.lastCheckpoint();
    const { loaded, lost } = currentKey();
    const head = readHead(lost ? (checkpoint?.statement.public_key ?? '') : loaded.publicKey, checkpoint !== undefined);
    assertForward(memory.committed, head?.statement);
    const chains = head?.statement.chains ?? unsignedEnds(db);
    const own = chains.find((chain) => chain.node === node) ?? { node, from_seq: 0, from_hash: GENESIS, seq: 0, hash: GENESIS };
    assertEnd(own, last.get(node));
    const state: Open = { key: loaded, own, chains, checkpoint, changed: false };
    if (checkpoint !== undefined) checkpointDueMs = dueAfter(checkpoint.statement);
    // Comes before any new record, because it concerns the existing ones.
    if (lost) writeCheckpoint(state, 'key-lost');
    if (head === undefined) writeCheckpoint(state, reasonToBegin(chains));
    return state;
  }

  /** The key that signed last, or a new one: the first, or because that one is lost. */
  function currentKey(): { readonly loaded: SigningKey; readonly lost: boolean } {
    const named = stored.keyId();
    if (key !== undefined && key.id === named) return { loaded: key, lost: false };
    const lost = named !== undefined && keyIsLost(keyFile);
    key = loadKey(keyFile, lost ? undefined : named);
    return { loaded: key, lost };
  }

  /** The signature of this process's own head needs no verification. */
  function readHead(publicKey: string, isExpected: boolean): StoredHead | undefined {
    const head = stored.head();
    if (head === undefined && isExpected) throw altered('its head is gone');
    if (head !== undefined && !sameSigned(head.signed, known) && !isSignedBy(head.signed, publicKey))
      throw altered('the signature of its head is not by its key');
    return head;
  }

  function current(): Open {
    isAsked = true;
    open ??= begin();
    return open;
  }

  function writeCheckpoint(state: Open, reason: CheckpointReason, keys: Partial<Pick<Checkpoint, 'next_key' | 'previous_key'>> = {}): void {
    const signer = state.key;
    const statement: Checkpoint = {
      ...common(state, clock()),
      kind: 'checkpoint',
      reason,
      public_key: signer.publicKey,
      next_key: null,
      previous_key: null,
      ...keys,
    };
    state.checkpoint = stored.addCheckpoint(statement, signStatement(statement, signer));
    checkpointDueMs = dueAfter(statement);
    state.changed = true;
  }

  function writeHead(state: Open): void {
    sealed = { ...common(state, clock()), kind: 'head' };
    known = signStatement(sealed, state.key);
    stored.setHead(sealed, known);
  }

  return {
    place(record) {
      const state = current();
      const whole = { ...record, seq: state.own.seq + 1, prev_hash: state.own.hash, hash: null };
      const hash = hashOf(whole);
      return {
        record: { ...whole, hash },
        used() {
          state.own = { ...state.own, seq: whole.seq, hash };
          state.changed = true;
        },
      };
    },
    seal(given) {
      const isDue = isCheckpointDue();
      const isStale = isHeadDue();
      // No record was placed: there is nothing to check and nothing to sign.
      if (!isAsked && given === undefined && !isDue && !isStale) return;
      const state = current();
      const reason = given ?? (isCheckpointDue() ? 'hour' : undefined);
      if (reason !== undefined) writeCheckpoint(state, reason);
      if (state.changed || isStale) writeHead(state);
      open = undefined;
      isAsked = false;
    },
    ends() {
      const { own, chains } = current();
      return [own, ...chains.filter((chain) => chain.node !== own.node)];
    },
    publicKey: () => current().key.publicKey,
    endOf(of) {
      const { own, chains } = current();
      const end = of === own.node ? own : chains.find((chain) => chain.node === of);
      if (end === undefined || end.seq === 0) return undefined;
      assertEnd(end, last.get(of));
      return end;
    },
    extend(end) {
      const state = current();
      if (end.node === state.own.node) state.own = end;
      else state.chains = [...state.chains.filter(({ node: other }) => other !== end.node), end];
      state.changed = true;
    },
    moveStart(of, seq, hash) {
      const state = current();
      const moved = (chain: ChainEnd): ChainEnd => (chain.node === of ? { ...chain, from_seq: seq, from_hash: hash } : chain);
      state.own = moved(state.own);
      state.chains = state.chains.map(moved);
      state.changed = true;
    },
    changeKey() {
      const state = current();
      const [old, next] = [state.key, makeNextKey(keyFile)];
      writeCheckpoint(state, 'key', { next_key: next.publicKey });
      state.key = next;
      writeCheckpoint(state, 'key', { previous_key: old.publicKey });
      key = next;
      return () => takeNextKey(keyFile, next.id);
    },
    committed() {
      memory.committed = sealed ?? memory.committed;
    },
  };
}

function dueAfter({ time }: Checkpoint): number {
  return Date.parse(time) + CHECKPOINT_EVERY_MS;
}

function assertEnd({ node, from_seq, from_hash, ...signed }: ChainEnd, row: Record<string, SQLOutputValue> | undefined): void {
  const [seq, hash] = row === undefined ? [from_seq, from_hash] : [Number(row['seq']), String(row['hash'])];
  if (seq !== signed.seq || hash !== signed.hash) throw altered(`record ${seq} of ${node} is not the last that was signed, ${signed.seq}`);
}

/** A trigger or view could change records before they are hashed. */
function assertOwn(foreign: Record<string, SQLOutputValue> | undefined): void {
  if (foreign !== undefined) throw altered(`the ${String(foreign['type'])} ${String(foreign['name'])} is in its database`);
}

/** A genuine older head, with everything after it deleted. Only a process that saw the later head notices. */
function assertForward(committed: Head | undefined, head: Head | undefined): void {
  if (committed === undefined) return;
  const isBehind = ({ node, seq }: ChainEnd): boolean => (head?.chains.find((chain) => chain.node === node)?.seq ?? -1) < seq;
  if (head === undefined || head.checkpoints < committed.checkpoints || committed.chains.some(isBehind))
    throw altered('an older head is in the place of a later one');
}

/** The state of one transaction. */
interface Open {
  key: SigningKey;
  own: ChainEnd;
  chains: readonly ChainEnd[];
  checkpoint: StoredCheckpoint | undefined;
  changed: boolean;
}

function common({ key, own, chains, checkpoint }: Open, nowMs: number) {
  const others = chains.filter(({ node }) => node !== own.node);
  return {
    v: 1 as const,
    time: new Date(nowMs).toISOString(),
    chains: [...others, own].sort((a, b) => (a.node < b.node ? -1 : 1)),
    previous: checkpoint?.digest ?? null,
    checkpoints: checkpoint?.number ?? 0,
    key: key.id,
  };
}

/**
 * Why there was no head. A ledger with records had one, so its signatures were removed. The checkpoint states that, and vouches for none of these records.
 */
function reasonToBegin(chains: readonly ChainEnd[]): CheckpointReason {
  return chains.length === 0 ? 'start' : 'head-lost';
}

/** The ends of a ledger without a head. Empty: it is new. */
function unsignedEnds(db: DatabaseSync): readonly ChainEnd[] {
  const rows = db.prepare('SELECT node, seq, hash FROM records AS r WHERE seq = (SELECT max(seq) FROM records WHERE node = r.node) ORDER BY node').all();
  return rows.map((row) => ({ node: String(row.node), from_seq: 0, from_hash: GENESIS, seq: Number(row.seq), hash: String(row.hash) }));
}

function sameSigned(a: Signed, b: Signed | undefined): boolean {
  return b !== undefined && a.text === b.text && a.signature === b.signature;
}
