// With several nodes, the store has the position of each sink in the chain of each node: the holder of the duty `exports` sends the rest of a node that is gone.
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../contract/clock.ts';
import type { StoreAddress } from '../../contract/store-address.ts';
import type { LedgerExports, SentChain } from '../../store/ledger-exports.ts';
import { openStore } from '../../store/store.ts';

export interface SharedPositionsParts {
  readonly storeAt: StoreAddress;
  readonly node: string;
  /** Of the duty `exports`. Null: another node has it. */
  readonly fence: () => number | null;
  /** Sends what the sink lacks of this chain, and resolves at its end or when `signal` aborts. `save` rejects if another node sends it now. */
  readonly sendLost: (chain: SentChain, save: (seq: number) => Promise<void>, signal: AbortSignal) => Promise<void>;
  /** Another node has sent records of this node, which was silent for too long: start again from the positions in the store. */
  readonly onOvertaken: () => void;
}

export interface SharedPositions {
  /** How far the sinks have the chain of this node, by their names. Empty if the store does not answer: then the files say it. */
  readonly claimed: ReadonlyMap<string, number>;
  /** Stored soon, and in vain while the store is away: then another node may send records twice. */
  note(sink: string, seq: number): void;
  /** Until the signal; then the last positions are stored. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 500;
/** How long the last positions may take after the stop. */
const GRACE_MS = 1_000;

export async function openSharedPositions(parts: SharedPositionsParts): Promise<SharedPositions> {
  const { node, storeAt, fence, sendLost, onOvertaken } = parts;
  const noted = new Map<string, number>();
  const sending = new Map<string, { readonly chain: SentChain; readonly stop: AbortController }>();
  const open = () => openStore({ at: storeAt, clock: systemClock, connections: 1 });
  let store = await open().catch(() => undefined);
  const claims = await store?.ledgerExports.claimOwn(node).catch(() => undefined);

  async function storeOwn(positions: LedgerExports): Promise<void> {
    for (const [sink, seq] of noted) {
      if (!(await positions.sent({ sink, node, seq }, null))) return onOvertaken();
      if (noted.get(sink) === seq) noted.delete(sink);
    }
  }

  async function takeLost(positions: LedgerExports): Promise<void> {
    const held = fence();
    const lost = held === null ? [] : await positions.claimLost(held);
    const keys = new Set(lost.map(keyOf));
    for (const [key, { stop }] of sending) if (!keys.has(key)) stop.abort();
    for (const chain of lost) if (held !== null && !sending.has(keyOf(chain))) begin(positions, chain, held);
  }

  function begin(positions: LedgerExports, chain: SentChain, held: number): void {
    const stop = new AbortController();
    const save = async (seq: number): Promise<void> => {
      if (await positions.sent({ ...chain, seq }, held)) return;
      stop.abort();
      throw new Error('another node sends this chain');
    };
    sending.set(keyOf(chain), { chain, stop });
    sendLost(chain, save, stop.signal)
      .catch(() => undefined) // The next look begins it again.
      .finally(() => sending.delete(keyOf(chain)));
  }

  async function look(): Promise<void> {
    store ??= await open();
    await storeOwn(store.ledgerExports);
    await takeLost(store.ledgerExports);
  }

  return {
    claimed: new Map(claims?.map(({ sink, seq }) => [sink, seq])),
    note: (sink, seq) => void noted.set(sink, seq),
    async run(signal) {
      while (!signal.aborted) {
        await look().catch(() => undefined);
        await pause(LOOK_MS, undefined, { signal }).catch(() => undefined);
      }
      for (const { stop } of sending.values()) stop.abort();
      const last = store === undefined ? Promise.resolve() : storeOwn(store.ledgerExports).catch(() => undefined);
      await Promise.race([last, pause(GRACE_MS)]);
      await store?.close().catch(() => undefined);
    },
  };
}

function keyOf({ sink, node }: SentChain): string {
  return JSON.stringify([sink, node]);
}
