// For tests: a process that hosts the ledger, writes without pause, and gets killed. Arguments: ledger, its key, access log, error log, name. Reports to its
// parent what is durable: `append ID`, `intend ID`, `settle ID`; and `unhealthy`, `healthy`.
import { systemClock } from '../../contract/clock.ts';
import { startLedger } from './ledger.ts';

const [ledgerFile = '', ledgerKey = '', accessLog = '', edgeErrorLog = '', name = ''] = process.argv.slice(2);
// The file size limit is the test's full disk: a write must fail, and the process must live.
process.on('SIGXFSZ', () => undefined);

const ledger = await startLedger({ paths: { ledgerFile, ledgerKey, accessLog, edgeErrorLog }, node: 'n1', clock: systemClock });
ledger.onHealth((healthy) => report(healthy ? 'healthy' : 'unhealthy'));
for (let number = 0; ; number += 1) await Promise.all([write(`${name}-${number}-a`), write(`${name}-${number}-b`)]);

async function write(id: string): Promise<void> {
  const record = { time: new Date().toISOString(), principal: 'alice@local', user_agent: 'x'.repeat(500) };
  await attempt(`append ${id}`, () => ledger.append({ ...record, request_id: `append-${id}` }));
  await attempt(`intend ${id}`, () => ledger.intend({ ...record, request_id: `intent-${id}` }));
  if (id.endsWith('a')) await attempt(`settle ${id}`, () => ledger.settle(`intent-${id}`, { status: 201 }));
}

async function attempt(what: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    report(what);
  } catch {
    await new Promise(setImmediate); // The parent counts only confirmed writes.
  }
}

function report(what: string): void {
  process.send?.(what);
}
