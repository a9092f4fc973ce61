// Short outages of the stream, of Prefect and of the control plane: no event of Prefect is missing in the ledger, nor of the gateway in Prefect, and none is there twice.
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PrefectEvent } from '../../src/contract/prefect-event.ts';
import { startFeed } from '../../src/record/timeline/feed/feed.ts';
import { createIntake } from '../../src/record/timeline/feed/intake.ts';
import {
  difference,
  eventsOfLedger,
  eventsOfPrefect,
  eventsSent,
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

const AWAY_MS = 2_000;
const ENOUGH_RUNS = 10;
const ENOUGH_EVENTS = 100;

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
  // How many there are is a matter of the machine.
  await waitFor(() => traffic.runs.length - before > ENOUGH_RUNS && eventsOfPrefect(room).length > ENOUGH_EVENTS, {
    ...{ what: 'enough of everything', timeoutMs: 120_000, everyMs: 500 },
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
  expect(own.length).toBeGreaterThan(ENOUGH_EVENTS);
}, 120_000);

it('has sent every event on, those of outages too', async () => {
  const missing = (): readonly string[] => difference(eventsOfLedger(room), eventsSent(room));
  await waitFor(() => missing().length === 0, { what: 'the sink to have all events', timeoutMs: 60_000, everyMs: 500 }).catch(() => undefined);
  expect(missing()).toEqual([]);
  // A killed gateway may have sent its last batch without having noted it: it comes again, with the same ids.
  expect(difference(eventsSent(room), eventsOfLedger(room))).toEqual([]);
}, 90_000);

it('has reported to Prefect who started each run, once, although it was killed', async () => {
  const runs = traffic.runs.slice(before);
  expect(runs.length).toBeGreaterThan(ENOUGH_RUNS);
  const untold = (): readonly string[] => difference(runs, runsAnnounced(room));
  await waitFor(() => untold().length === 0, { what: 'Prefect to have been told', timeoutMs: 60_000, everyMs: 1_000 }).catch(() => undefined);
  expect(untold()).toEqual([]);
  const told = runsAnnounced(room);
  expect(new Set(told).size).toBe(told.length);
}, 90_000);

it('accepts reports that Prefect gets hours late, while no stream is open', async () => {
  const late = { id: crypto.randomUUID(), occurred: new Date(Date.now() - 5 * 3_600_000).toISOString(), event: 'prefect.task-run.Noted', payload: {} };
  const authorization = `Basic ${Buffer.from(room.prefect.authString).toString('base64')}`;
  const headers = { 'content-type': 'application/json', authorization };
  const body = JSON.stringify([{ ...late, resource: { 'prefect.resource.id': `prefect.task-run.${crypto.randomUUID()}` } }]);
  room.cut.cutStreams(true);
  expect((await fetch(`${room.prefect.url}/api/events`, { method: 'POST', headers, body })).ok).toBe(true);
  await waitFor(() => eventsOfPrefect(room).includes(late.id), { what: 'Prefect to have written it', timeoutMs: 60_000, everyMs: 500 });
  room.cut.cutStreams(false);
  // As a gateway that has stored events for longer than this one: the first record of a batch says since when.
  const stored: PrefectEvent[] = [];
  const ledger = { storeEvents: async ({ events }: { readonly events: readonly PrefectEvent[] }) => void stored.push(...events) };
  const intake = createIntake({ ledger, clock: Date.now, steady: () => performance.now(), mark: undefined, flushMs: 50 });
  const counts = { count: () => 0, beganMs: () => Date.now() - 10 * 3_600_000, close: () => undefined };
  const { url, authString } = room.prefect;
  const log = { warn: () => undefined, info: () => undefined };
  const prefect = { servers: [url], authString, publicUrl: null };
  const feed = startFeed({ intake, prefect, openCounts: () => counts, clock: Date.now, log, roundMs: 200, settleMs: 100 });
  try {
    await waitFor(() => stored.some(({ id }) => id === late.id), { what: 'the late event', timeoutMs: 60_000, everyMs: 200 });
  } finally {
    await feed.stop();
    await intake.close();
  }
  expect(new Set(stored.map(({ id }) => id)).size).toBe(stored.length);
}, 150_000);

it('stays provable', async () => {
  const { code, output } = await room.gateway.lictor('audit', 'verify');
  expect(code, output).toBe(0);
});

it('shows the states of a run that went on meanwhile', async () => {
  const run = traffic.ended.at(-1) ?? '';
  const states = jsonLines(await room.gateway.lictorOk('timeline', run, '--json')).filter(({ kind }) => kind === 'state');
  expect(states.map(({ state_name: name }) => name)).toEqual(['Pending', 'Running', 'Completed']);
});
