// For tests: a process that deletes records, a few rows at a time, until it is killed. Arguments: ledger, key, now, rows.
import { createAppend } from '../append.ts';
import { openLedgerDatabase, transaction } from '../database.ts';
import { NODE } from './chain.fixture.ts';
import { createChain } from './chain.ts';
import { createRetention } from './retention.ts';

const [file = '', keyFile = '', now = '', rows = ''] = process.argv.slice(2);
const db = openLedgerDatabase(file);
const chain = createChain({ db, node: NODE, keyFile, clock: () => Number(now) });
const retention = createRetention({ db, chain, appendRow: createAppend(db, NODE, chain), retentionMs: 86_400_000, atOnce: Number(rows) });
for (;;) {
  transaction(db, () => {
    retention.step(Number(now));
    chain.seal();
  });
  process.send?.('step');
  await new Promise((resolve) => setImmediate(resolve));
}
