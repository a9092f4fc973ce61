// Each record is chained to the one before, and each transaction ends with a signed head: what was signed once is never signed away.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Clock } from '../../../contract/clock.ts';
import type { LedgerRecord } from '../../../contract/record.ts';
import { altered } from './altered.ts';
import { GENESIS, hashOf } from './hash.ts';
import { keyIsLost, loadKey, makeNextKey, takeNextKey } from './key-file.ts';
import { type ChainEnd, type Checkpoint, type CheckpointReason, type Head, isSignedBy, type Signed, type SigningKey, signStatement } from './statement.ts';
import { createStored, type StoredCheckpoint, type StoredHead } from './stored.ts';

const CHECKPOINT_EVERY_MS = 3_600_000;

/** Inside one transaction (BEGIN IMMEDIATE): any number of `place` and `moveStart`, then `seal`. After a rollback a new one is made. */
export interface Chain {
  /** Number, predecessor and hash for the next record. `used` is called when its row was written. */
  place(record: Omit<LedgerRecord, 'seq' | 'prev_hash' | 'hash'>): { readonly record: LedgerRecord; used(): void };
  /** Signs where the chains end, if that changed; a checkpoint hourly, and when there is a reason for one. */
  seal(reason?: CheckpointReason): void;
  /** Where the chains begin and end now, this node's first. */
  ends(): readonly ChainEnd[];
  /** The key that signs now: SPKI, DER, base64. */
  publicKey(): string;
  /** The records of a chain up to `seq`, whose hash is `hash`, are no longer here. */
  moveStart(of: string, seq: number, hash: string): void;
  /** From here on another key signs. Call what it returns when the transaction is committed. */
  changeKey(): () => void;
  /** Call it when a transaction is committed: what was signed in it is never taken back. */
  committed(): void;
}

/** What outlives a chain that is made anew: the last head that was committed. An older one in its place is no head of ours any more. */
export interface ChainMemory {
  committed: Head | undefined;
}

export interface ChainParts {
  readonly db: DatabaseSync;
  readonly node: string;
  readonly keyFile: string;
  readonly clock: Clock;
  /** Of a process that writes for long. */
  readonly memory?: ChainMemory;
}

export function createChain({ db, node, keyFile, clock, memory = { committed: undefined } }: ChainParts): Chain {
  const stored = createStored(db);
  const last = db.prepare('SELECT seq, hash FROM records WHERE node = ? ORDER BY seq DESC LIMIT 1');
  const foreign = db.prepare("SELECT type, name FROM sqlite_schema WHERE type IN ('trigger', 'view') LIMIT 1");
  /** What this process signed last. */
  let known: Signed | undefined;
  let sealed: Head | undefined;
  let key: SigningKey | undefined;
  let open: Open | undefined;
  /** In this transaction, also when the answer was no: who swallows that does not get past `seal`. */
  let isAsked = false;
  /** The hour may have passed before this process began. */
  let checkpointDueMs = 0;

  /** An hour after the last one; and where that one lies ahead, since the clock went back. */
  function isCheckpointDue(): boolean {
    const nowMs = clock();
    return nowMs >= checkpointDueMs || nowMs < checkpointDueMs - 2 * CHECKPOINT_EVERY_MS;
  }

  /** Once in each transaction: the key, what was signed last, and that the records still end there. */
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
    // Before anything is added: it is about what was here.
    if (lost) writeCheckpoint(state, 'key-lost');
    if (head === undefined) writeCheckpoint(state, reasonToBegin(chains));
    return state;
  }

  /** The key that signed last, or a new one: the first, or because that one is gone. */
  function currentKey(): { readonly loaded: SigningKey; readonly lost: boolean } {
    const named = stored.keyId();
    if (key !== undefined && key.id === named) return { loaded: key, lost: false };
    const lost = named !== undefined && keyIsLost(keyFile);
    key = loadKey(keyFile, lost ? undefined : named);
    return { loaded: key, lost };
  }

  /** What this process signed itself needs no second look. */
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
    seal(wanted) {
      const isDue = isCheckpointDue();
      // Nothing was placed: there is nothing to look at and nothing to sign.
      if (!isAsked && wanted === undefined && !isDue) return;
      const state = current();
      const reason = wanted ?? (isCheckpointDue() ? 'hour' : undefined);
      if (reason !== undefined) writeCheckpoint(state, reason);
      if (state.changed) writeHead(state);
      open = undefined;
      isAsked = false;
    },
    ends() {
      const { own, chains } = current();
      return [own, ...chains.filter((chain) => chain.node !== own.node)];
    },
    publicKey: () => current().key.publicKey,
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

/** What somebody put in would change records before they are hashed, or their intents. */
function assertOwn(foreign: Record<string, SQLOutputValue> | undefined): void {
  if (foreign !== undefined) throw altered(`the ${String(foreign['type'])} ${String(foreign['name'])} is in its database`);
}

/** A genuine head of earlier, with what came after it cut off: only who saw the later one can tell. */
function assertForward(committed: Head | undefined, head: Head | undefined): void {
  if (committed === undefined) return;
  const isBehind = ({ node, seq }: ChainEnd): boolean => (head?.chains.find((chain) => chain.node === node)?.seq ?? -1) < seq;
  if (head === undefined || head.checkpoints < committed.checkpoints || committed.chains.some(isBehind))
    throw altered('an older head is in the place of a later one');
}

/** What one transaction knows and changes. */
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

/** Why there was no head. A ledger with records had one: its signatures were removed. The checkpoint says so for good and vouches for none of these records. */
function reasonToBegin(chains: readonly ChainEnd[]): CheckpointReason {
  return chains.length === 0 ? 'start' : 'head-lost';
}

/** Where the chains of a ledger without a head end. Empty: it is new. */
function unsignedEnds(db: DatabaseSync): readonly ChainEnd[] {
  const rows = db.prepare('SELECT node, seq, hash FROM records AS r WHERE seq = (SELECT max(seq) FROM records WHERE node = r.node) ORDER BY node').all();
  return rows.map((row) => ({ node: String(row.node), from_seq: 0, from_hash: GENESIS, seq: Number(row.seq), hash: String(row.hash) }));
}

function sameSigned(a: Signed, b: Signed | undefined): boolean {
  return b !== undefined && a.text === b.text && a.signature === b.signature;
}
