// How far the ledger is behind the answers, while so many requests a second come.
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { freePort } from '../../env/free-port.ts';
import { startGateway } from '../../env/gateway.ts';
import { watchLateness } from '../../env/lateness.ts';
import { waitFor } from '../../env/process.ts';
import { startSteadyLoad } from './steady-load.ts';

export interface LagForm {
  readonly perSecond: number;
  readonly seconds: number;
}

export interface Lag {
  readonly sent: number;
  readonly others: number;
  readonly perSecond: number;
  /** Between the last answer and the newest record, the worst of all looks and the median. */
  readonly worstMs: number;
  readonly medianMs: number;
  /** What the machine was late by meanwhile. */
  readonly lateMs: number;
  /** Records of those requests in the end. */
  readonly records: number;
}

const LOOK_EVERY_MS = 200;

export async function measureLag({ perSecond, seconds }: LagForm): Promise<Lag> {
  const upstreamPort = await freePort();
  const upstream = createServer((_request, response) => response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 }).end('{}'));
  await new Promise<void>((resolve) => upstream.listen(upstreamPort, '127.0.0.1', resolve));
  const gateway = await startGateway({
    upstream: { url: `http://127.0.0.1:${upstreamPort}`, authString: 'gateway:lag' },
    openStateDir: true,
    config: { limits: [{ for: '*', rate: '50000/s', burst: 100_000 }] },
  });
  try {
    const { secret } = await gateway.token('reader', ['viewer']);
    using ledger = new DatabaseSync(join(gateway.stateDir, 'ledger.db'), { readOnly: true, timeout: 10_000 });
    const newest = ledger.prepare("SELECT max(time) AS time FROM records WHERE principal = 'token:reader'");
    const count = ledger.prepare("SELECT count(*) AS n FROM records WHERE principal = 'token:reader'");
    const load = await startSteadyLoad({ port: gateway.port, host: new URL(gateway.url).host, token: secret }, perSecond);
    const [startedMs, lateness] = [performance.now(), watchLateness()];
    const looks: number[] = [];
    const look = (): boolean => {
      const time = newest.get()?.['time'];
      if (typeof time === 'string') looks.push(Math.max(0, load.lastAnswerMs() - Date.parse(time)));
      return performance.now() - startedMs >= seconds * 1000;
    };
    await waitFor(look, { what: 'the load to end', timeoutMs: seconds * 1000 + 60_000, everyMs: LOOK_EVERY_MS });
    const lateMs = lateness();
    const rate = load.answered() / ((performance.now() - startedMs) / 1000);
    await load.stop();
    await waitFor(() => Number(count.get()?.['n']) >= load.sent(), { what: 'every record', timeoutMs: 120_000, everyMs: 500 });
    const sorted = looks.toSorted((a, b) => a - b);
    return {
      ...{ sent: load.sent(), others: load.others(), perSecond: Math.round(rate), records: Number(count.get()?.['n']) },
      ...{ worstMs: sorted.at(-1) ?? 0, medianMs: sorted[Math.floor(sorted.length / 2)] ?? 0, lateMs },
    };
  } finally {
    await gateway.close();
    upstream.closeAllConnections();
    upstream.close();
  }
}
