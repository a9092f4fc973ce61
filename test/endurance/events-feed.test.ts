// The stream, Prefect and the control plane are away for a minute each during traffic: no event of Prefect is missing in the ledger, and none is there twice.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { difference, eventsOfLedger, eventsOfPrefect, type OutageRoom, openOutageRoom, outagesInTurn, startTraffic, untilEqual } from '../env/event-outages.ts';

/** LICTOR_ENDURANCE_SECONDS makes it shorter, to try it. */
const AWAY_MS = Math.min(60, Number(process.env['LICTOR_ENDURANCE_SECONDS'] ?? 60)) * 1_000;

let room: OutageRoom;
beforeAll(async () => {
  room = await openOutageRoom();
});
afterAll(async () => {
  await room?.close();
});

it('has every event of Prefect and no other, once, after a minute without each', async () => {
  const traffic = startTraffic(room, 20);
  await outagesInTurn(room, AWAY_MS);
  await traffic.stop();
  await untilEqual(room);
  const [own, kept] = [eventsOfPrefect(room), eventsOfLedger(room)];
  process.stderr.write(`${own.length} events of Prefect, ${kept.length} in the ledger, of ${traffic.runs.length} runs\n`);
  expect(own.length).toBeGreaterThan(AWAY_MS / 50);
  expect(new Set(kept).size).toBe(kept.length);
  expect(difference(own, kept)).toEqual([]);
  expect(difference(kept, own)).toEqual([]);
  const { code, output } = await room.gateway.lictor('audit', 'verify');
  expect(code, output).toBe(0);
});
