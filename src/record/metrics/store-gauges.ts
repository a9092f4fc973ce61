// How many tokens and sessions the store has.
import { setTimeout as pause } from 'node:timers/promises';
import type { StoreAddress } from '../../contract/store-address.ts';
import { openRows, type RowReader } from '../../store/rows.ts';
import { type Family, gauge } from './exposition.ts';

export interface StoreGauges {
  /** Without values while the store does not answer. */
  collect(nowMs: number): Promise<readonly Family[]>;
  close(): Promise<void>;
}

/** A scrape has other numbers, which must not wait for a store that hangs. */
const LONGEST_MS = 1_000;
const TOKENS = 'SELECT count(*) AS value FROM tokens WHERE revoked_ms IS NULL';
const SESSIONS = 'SELECT count(*) AS value FROM sessions WHERE expires_ms > ?';

export function createStoreGauges(at: StoreAddress): StoreGauges {
  let rows: RowReader | undefined;
  const count = async (statement: string, ...values: readonly number[]): Promise<number | undefined> => {
    const [row] = (await rows?.all(statement, ...values)) ?? [];
    return row === undefined ? undefined : Number(row['value']);
  };
  const read = async (nowMs: number) => {
    rows ??= await openRows(at);
    return { tokens: await count(TOKENS), sessions: await count(SESSIONS, Math.floor(nowMs)) };
  };
  return {
    async collect(nowMs) {
      const found = await Promise.race([read(nowMs).catch(() => undefined), pause(LONGEST_MS, undefined, { ref: false })]);
      return [
        gauge('tokens', 'Service tokens that are not revoked.', found?.tokens),
        gauge('sessions', 'Browser sessions that have not expired.', found?.sessions),
      ];
    },
    async close() {
      await rows?.close();
    },
  };
}
