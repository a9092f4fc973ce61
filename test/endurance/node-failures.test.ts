// Failures of three nodes and of what they need, each under load (docs/explanation/node-failures.md).
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PrefectServers, startPrefectServers } from '../env/several/prefect-servers.ts';
import { loginHoldsOnAll, revocationHoldsOnAll, timelineIsWhole } from '../integration/several/acceptance.ts';
import { FAILURES } from './node-failures/failures.ts';
import { writeRow } from './node-failures/page.ts';
import { openRoom, type Room, TASKS } from './node-failures/room.ts';
import { seeFailure } from './node-failures/row.ts';

/** As many as one node has in hand. */
const MOST_CLOSED = 20;

let servers: PrefectServers;
let room: Room;
beforeAll(async () => {
  servers = await startPrefectServers();
  room = await openRoom(servers);
}, 600_000);
afterAll(async () => {
  await room?.close();
  await servers?.stop();
}, 120_000);

describe('three nodes', () => {
  it('share a login, its end, and the end of a token within the promised times, and have one timeline', async () => {
    await loginHoldsOnAll(room.cluster);
    const { refusedMs, closedMs } = await revocationHoldsOnAll(room.cluster);
    expect(refusedMs).toBeLessThanOrEqual(1_000);
    expect(closedMs).toBeLessThanOrEqual(2_000);
    await timelineIsWhole(room.cluster);
  });
});

describe('under 200 requests a second, 200 sockets and a flow of 100 tasks', () => {
  it.each(FAILURES)('$name', async (failure) => {
    const seen = await seeFailure(room, failure);
    const { records, ...rest } = seen;
    process.stderr.write(`${JSON.stringify({ ...rest, records: { ...records, missing: records.missing.slice(0, 5), twice: records.twice.slice(0, 5) } })}\n`);
    expect(seen.others).toEqual({});
    expect(seen.closed).toBeLessThanOrEqual(MOST_CLOSED);
    expect(seen.run).toBe('COMPLETED');
    expect(seen.tasks).toBe(TASKS);
    expect(records).toMatchObject({ missing: [], twice: [] });
    expect(room.worker.running()).toBe(true);
    writeRow(
      seen,
      FAILURES.map(({ name }) => name),
    );
  });
});
