// Short outages of the stream, of Prefect and of the control plane: no event of Prefect is missing in the ledger, nor of the gateway in Prefect, and none is there twice.
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  difference,
  eventsOfLedger,
  eventsOfPrefect,
  type OutageRoom,
  openOutageRoom,
  outagesInTurn,
  runsAnnounced,
  startTraffic,
  type Traffic,
  untilEqual,
} from '../env/event-outages.ts';
import { jsonLines } from '../env/gateway.ts';
import { waitFor } from '../env/process.ts';

const AWAY_MS = 4_000;

let room: OutageRoom;
let traffic: Traffic;
/** Runs that were created before: a Prefect that ends may have taken what it never wrote down. */
let before = 0;

beforeAll(async () => {
  room = await openOutageRoom();
  traffic = startTraffic(room, 50);
  await outagesInTurn(room, AWAY_MS, () => {
    before = traffic.runs.length;
  });
  await traffic.stop();
});
afterAll(async () => {
  await room?.close();
});

it('has every event of Prefect and no other, once', async () => {
  await untilEqual(room);
  const [own, kept] = [eventsOfPrefect(room), eventsOfLedger(room)];
  expect(difference(own, kept)).toEqual([]);
  expect(new Set(kept).size).toBe(kept.length);
  expect(difference(kept, own)).toEqual([]);
  expect(own.length).toBeGreaterThan(100);
}, 120_000);

it('has told Prefect who started each run, once, although it was killed', async () => {
  const runs = traffic.runs.slice(before);
  expect(runs.length).toBeGreaterThan(10);
  const untold = (): readonly string[] => difference(runs, runsAnnounced(room));
  await waitFor(() => untold().length === 0, { what: 'Prefect to have been told', timeoutMs: 60_000, everyMs: 1_000 }).catch(() => undefined);
  expect(untold()).toEqual([]);
  const told = runsAnnounced(room);
  expect(new Set(told).size).toBe(told.length);
}, 90_000);

it('stays provable', async () => {
  const { code, output } = await room.gateway.lictor('audit', 'verify');
  expect(code, output).toBe(0);
});

it('shows the states of a run that went on meanwhile', async () => {
  const run = traffic.runs.at(-1) ?? '';
  const states = jsonLines(await room.gateway.lictorOk('timeline', run, '--json')).filter(({ kind }) => kind === 'state');
  expect(states.map(({ state_name: name }) => name)).toEqual(['Pending', 'Running', 'Completed']);
});
