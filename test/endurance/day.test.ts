// A day's requests in twenty minutes: memory and descriptors stay where they are, logs rotate, every request has its one record.
//
// LICTOR_ENDURANCE_SECONDS makes it shorter, to try it (120 at least): then only a coarse growth is seen. Lines are as long as it takes for the
// log to rotate often enough, so that a short run rotates as often as a long one.
import { statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SUMMARY_ACTION } from '../../src/record/ledger/floods.ts';
import { openLedgerReader } from '../../src/record/ledger/query.ts';
import { ROTATE_LIMITS } from '../../src/record/ledger/rotate.ts';
import { freePort } from '../env/free-port.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { waitFor } from '../env/process.ts';
import { sendPaced, type Tokens } from './paced-load.ts';
import { descriptorsOf, type Sample, slope, watchProcess } from './process-watch.ts';

const SECONDS = Number(process.env['LICTOR_ENDURANCE_SECONDS'] ?? 1200);
if (!(SECONDS >= 120)) throw new Error('LICTOR_ENDURANCE_SECONDS: 120 at least, or the log does not rotate often enough');
const PER_SECOND = 500;
const ROTATIONS = 5;
/** The first five minutes of twenty are for warming up. */
const WARM_MINUTES = SECONDS / 60 / 4;
/** A shorter run sees caches being filled and collections that are still to come. */
const MOST_MIB_PER_MINUTE = SECONDS >= 1200 ? 1 : 30;
/** The numbers of persistent connections to nginx, Prefect and the decision socket vary. */
const LOOSE_DESCRIPTORS = 48;

let upstream: Server;
let gateway: Gateway;
let tokens: Tokens;

beforeAll(async () => {
  const port = await freePort();
  upstream = createServer((request, response) => {
    request.resume().once('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end('{"status":"ACCEPT","state":null}'));
  });
  await new Promise<void>((resolve) => upstream.listen(port, '127.0.0.1', resolve));
  gateway = await startGateway({
    upstream: { url: `http://127.0.0.1:${port}`, authString: 'gateway:endurance' },
    openStateDir: true,
    config: { limits: [{ for: '*', rate: '5000/s', burst: 10_000 }] },
  });
  tokens = {
    worker: (await gateway.token('worker', ['worker', 'operator'])).secret,
    viewer: (await gateway.token('viewer', ['viewer'])).secret,
  };
});
afterAll(async () => {
  await gateway?.close();
  upstream?.closeAllConnections();
  upstream?.close();
});

it('stays as it is over a day of requests: memory, descriptors, logs, records', async () => {
  const { supervisor, control, nginx } = gateway.pids();
  const watches = { supervisor: watchProcess(supervisor, () => performance.now()), control: watchProcess(control, () => performance.now()) };
  const log = join(gateway.stateDir, 'log', 'access.log');
  const logs = new Set<string>();
  const look = (): void => {
    for (const watch of Object.values(watches)) watch.look();
    const stats = statSync(log, { bigint: true, throwIfNoEntry: false });
    if (stats !== undefined) logs.add(`${stats.ino} ${stats.birthtimeNs}`);
  };
  // One more than asked for: the log that is being written when the load ends is not renamed.
  const lineBytes = Math.ceil(((ROTATIONS + 1) * ROTATE_LIMITS.accessBytes) / (PER_SECOND * SECONDS));
  const atFirst = { seconds: Math.max(5, Math.floor(SECONDS / 20)), perSecond: PER_SECOND, lineBytes: 0 };
  const warm = await sendPaced(gateway, tokens, atFirst, () => undefined);
  const open = [supervisor, control, nginx].map(descriptorsOf);

  const answered = await sendPaced(gateway, tokens, { perSecond: PER_SECOND, seconds: SECONDS, lineBytes }, look);
  expect([...answered.statuses.keys()].sort()).toEqual([200, 400, 401, 403]);
  for (const [name, { samples }] of Object.entries(watches)) process.stderr.write(`${name}: ${describeMemory(samples)}\n`);
  const ids = [...warm.ids, ...answered.ids];
  const anonymous = warm.anonymous + answered.anonymous;
  const total = ids.length + anonymous;
  const isComplete = (): boolean => {
    const now = recordedNow();
    if (now < total) throw new Error(`${now} are there`);
    return true;
  };
  await waitFor(isComplete, { what: `${total} requests in the ledger`, timeoutMs: 600_000, everyMs: 3000 });
  look();

  const recorded = await recordedRequests();
  expect(ids.filter((id) => recorded.known.get(id) !== 1).length, 'requests without their one record').toBe(0);
  expect(recorded.known.size, 'requests that nobody sent').toBe(new Set(ids).size);
  expect(recorded.anonymous, 'requests of nobody, each by itself or in a sum').toBe(anonymous);
  expect(logs.size - 1, 'rotations').toBeGreaterThanOrEqual(ROTATIONS);
  expect(gateway.pids()).toMatchObject({ supervisor, control, nginx });
  for (const [name, { samples }] of Object.entries(watches)) {
    const grows = slope(samples, WARM_MINUTES);
    expect(grows, `MiB a minute of the ${name}`).toBeLessThan(MOST_MIB_PER_MINUTE);
  }
  const openNow = [supervisor, control, nginx].map(descriptorsOf);
  for (const [index, count] of openNow.entries()) expect(count, 'descriptors').toBeLessThanOrEqual((open[index] ?? 0) + LOOSE_DESCRIPTORS);
});

/** By the minute, and the slope: what stands in the closing note. */
function describeMemory(samples: readonly Sample[]): string {
  const byMinute = samples.filter(({ minutes }, index) => index === 0 || Math.floor(minutes) !== Math.floor(samples[index - 1]?.minutes ?? 0));
  return `${byMinute.map(({ mebibytes }) => mebibytes.toFixed(0)).join(' ')} MiB, minute by minute; ${slope(samples, WARM_MINUTES).toFixed(2)} MiB a minute`;
}

/** The number of requests to Prefect in the ledger, including those in sums. */
function recordedNow(): number {
  using ledger = new DatabaseSync(join(gateway.stateDir, 'ledger.db'), { readOnly: true, timeout: 10_000 });
  const single = ledger.prepare("SELECT count(*) AS count FROM records WHERE request_id IS NOT NULL AND path >= '/api/' AND path < '/api0'").get();
  const summed = ledger.prepare('SELECT coalesce(sum(CAST(resource_id AS INTEGER)), 0) AS count FROM records WHERE action = ?').get(SUMMARY_ACTION);
  return Number(single?.['count']) + Number(summed?.['count']);
}

/** Only requests to Prefect, without the gateway's pages and its own requests. */
async function recordedRequests(): Promise<{ readonly known: ReadonlyMap<string, number>; readonly anonymous: number }> {
  const reader = openLedgerReader(join(gateway.stateDir, 'ledger.db'));
  const known = new Map<string, number>();
  let anonymous = 0;
  for await (const { request_id: id, path, principal, action, resource_id: count } of reader.audit({})) {
    if (action === SUMMARY_ACTION) anonymous += Number(count);
    else if (id === null || path?.startsWith('/api/') !== true) continue;
    else if (principal === null) anonymous += 1;
    else known.set(id, (known.get(id) ?? 0) + 1);
  }
  reader.close();
  return { known, anonymous };
}
