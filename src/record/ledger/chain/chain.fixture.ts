// For tests: a ledger of some records, written as the gateway writes it.
import type { StatePaths } from '../../../config/state-dir.ts';
import { createAppend } from '../append.ts';
import { openLedgerDatabase, transaction } from '../database.ts';
import { type Chain, createChain } from './chain.ts';
import type { Anchors } from './evidence.ts';
import { readKey } from './key-file.ts';
import type { Report } from './report.ts';
import { storeEvidence } from './store-evidence.ts';
import { verifyLedger } from './verify.ts';

type Paths = Pick<StatePaths, 'ledgerFile' | 'ledgerKey'>;

export const NODE = 'n1';
export const START_MS = Date.parse('2026-03-01T12:00:00.000Z');

/** `count` records in transactions of ten, `stepMs` apart. */
export function writeRecords(paths: Paths, count: number, { startMs = START_MS, node = NODE, stepMs = 1_000, perTransaction = 10 } = {}): void {
  using db = openLedgerDatabase(paths.ledgerFile);
  let nowMs = startMs;
  const chain = createChain({ db, node, keyFile: paths.ledgerKey, clock: () => nowMs });
  const append = createAppend(db, node, chain);
  for (let done = 0; done < count; done += perTransaction) {
    nowMs = startMs + (done / perTransaction) * stepMs;
    transaction(db, () => {
      for (let index = done; index < Math.min(count, done + perTransaction); index += 1) {
        append({
          time: new Date(nowMs).toISOString(),
          request_id: `r${node}${startMs}${index}`,
          principal: 'alice@local',
          status: 200,
          duration_ms: index / 8,
          policies: ['viewer'],
        });
      }
      chain.seal();
    });
  }
}

/** The verification of lictor audit verify on a store. */
export function verifyStore(paths: Paths, anchors: Partial<Anchors> = {}): Report {
  using db = openLedgerDatabase(paths.ledgerFile);
  const key = readKey(paths.ledgerKey);
  return transaction(db, () =>
    verifyLedger(storeEvidence(db), { publicKeys: key === undefined ? [] : [key.publicKey], onlyCurrent: true, savedHeads: [], ...anchors }),
  );
}

/** One transaction of the gateway. */
export function withChain<T>(paths: Paths, work: (chain: Chain) => T, nowMs = START_MS): T {
  using db = openLedgerDatabase(paths.ledgerFile);
  const chain = createChain({ db, node: NODE, keyFile: paths.ledgerKey, clock: () => nowMs });
  return transaction(db, () => {
    const result = work(chain);
    chain.seal();
    return result;
  });
}
