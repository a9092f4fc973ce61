// The subscriber's stream, Prefect and the control plane are away in turn during traffic: afterwards the ledger has every event of Prefect's own database, once.

import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import { type Cut, startCut } from './cut.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { field, text } from './prefect.ts';
import { type PrefectServer, startPrefect } from './prefect-server.ts';
import { isAlive, signalProcess, waitFor } from './process.ts';

export interface OutageRoom {
  readonly prefect: PrefectServer;
  readonly gateway: Gateway;
  readonly cut: Cut;
  readonly token: string;
  readonly flowId: string;
  /** NDJSON to which records and events are sent. */
  readonly sink: string;
  close(): Promise<void>;
}

export async function openOutageRoom(): Promise<OutageRoom> {
  const prefect = await startPrefect();
  const cut = await startCut(prefect.url);
  const sink = join(mkdtempSync(join(tmpdir(), 'lictor-sink-')), 'out.ndjson');
  const config = { ledger: { export: [{ type: 'ndjson', url: sink, from: 'start', events: true }] } };
  const gateway = await startGateway({ upstream: { url: cut.url, authString: prefect.authString }, config });
  const { secret: token } = await gateway.token('traffic', ['admin']);
  const flow = await gateway.fetch('/api/flows/', { method: 'POST', token, headers: JSON_TYPE, body: JSON.stringify({ name: 'traffic' }) });
  return {
    ...{ prefect, gateway, cut, token, sink, flowId: text(field(await flow.json(), 'id')) },
    async close() {
      await gateway.close();
      await cut.close();
      await prefect.stop();
    },
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };

export interface Traffic {
  /** Flow runs that were created, oldest first. */
  readonly runs: readonly string[];
  /** Those of them that have gone through all their states. */
  readonly ended: readonly string[];
  stop(): Promise<void>;
}

/** Runs of four states each, through the gateway, and events of task runs round it, so that something happens while the gateway is away. */
export function startTraffic({ prefect, gateway, token, flowId }: OutageRoom, pauseMs: number): Traffic {
  const stopping = new AbortController();
  const [runs, ended]: [string[], string[]] = [[], []];
  const post = async (path: string, body: unknown): Promise<unknown> =>
    (await gateway.fetch(path, { method: 'POST', token, headers: JSON_TYPE, body: JSON.stringify(body), signal: AbortSignal.timeout(5_000) })).json();
  const oneRun = async (): Promise<void> => {
    const id = text(field(await post('/api/flow_runs/', { flow_id: flowId, state: { type: 'PENDING' } }), 'id'));
    runs.push(id);
    for (const type of ['RUNNING', 'COMPLETED']) text(field(await post(`/api/flow_runs/${id}/set_state`, { state: { type }, force: true }), 'status'));
    ended.push(id);
  };
  const oneEvent = async (): Promise<void> => {
    const event = { id: crypto.randomUUID(), occurred: new Date().toISOString(), event: 'prefect.task-run.Noted', payload: {} };
    const run = { 'prefect.resource.id': `prefect.flow-run.${runs.at(-1) ?? crypto.randomUUID()}`, 'prefect.resource.role': 'flow-run' };
    const body = [{ ...event, resource: { 'prefect.resource.id': `prefect.task-run.${crypto.randomUUID()}` }, related: [run] }];
    const authorization = `Basic ${Buffer.from(prefect.authString).toString('base64')}`;
    await fetch(`${prefect.url}/api/events`, { method: 'POST', headers: { ...JSON_TYPE, authorization }, body: JSON.stringify(body) });
  };
  const loop = async (work: () => Promise<void>): Promise<void> => {
    while (!stopping.signal.aborted) {
      await work().catch(() => undefined); // one of the three is away
      await wait(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };
  const loops = [loop(oneRun), loop(oneEvent)];
  return {
    runs,
    ended,
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

/** Each of the three is away for that long, with as long in between. */
export async function outagesInTurn({ prefect, gateway, cut }: OutageRoom, awayMs: number, onPrefectBack: () => void = () => undefined): Promise<void> {
  await wait(awayMs);
  cut.cutStreams(true);
  await wait(awayMs);
  cut.cutStreams(false);
  await wait(awayMs);
  await prefect.halt();
  await wait(awayMs);
  await prefect.resume();
  onPrefectBack();
  await wait(awayMs);
  // Kills the process and prevents a restart: a stopped supervisor starts nothing.
  const { supervisor, control } = gateway.pids();
  signalProcess(supervisor, 'SIGSTOP');
  signalProcess(control, 'SIGKILL');
  await wait(awayMs);
  signalProcess(supervisor, 'SIGCONT');
  await waitFor(async () => !isAlive(control) && (await gateway.isReady()), { what: 'a new control plane', timeoutMs: 60_000, everyMs: 200 });
  await wait(awayMs);
}

const WANTED = ['flow-run', 'task-run', 'worker', 'deployment', 'automation', 'work-pool', 'work-queue']
  .map((kind) => `event LIKE 'prefect.${kind}.%'`)
  .join(' OR ');

/** In Prefect's own database, as bare hexadecimal digits or not: hyphenated. */
export function eventsOfPrefect({ prefect }: OutageRoom): readonly string[] {
  using db = new DatabaseSync(prefect.database, { readOnly: true, timeout: 10_000 });
  const rows = db.prepare(`SELECT id FROM events WHERE (${WANTED}) AND event NOT LIKE '%.heartbeat' ORDER BY id`).all();
  return rows.map(({ id }) => String(id)).sort();
}

export function eventsOfLedger({ gateway }: OutageRoom): readonly string[] {
  using db = new DatabaseSync(join(gateway.stateDir, 'ledger.db'), { readOnly: true, timeout: 10_000 });
  return db
    .prepare("SELECT id FROM prefect_events WHERE event LIKE 'prefect.%'")
    .all()
    .map(({ id }) => String(id))
    .sort();
}

/** Ids of the events that the sink has got, in its order. */
export function eventsSent({ sink }: OutageRoom): readonly string[] {
  const whole = readFileSync(sink, 'utf8').split('\n').slice(0, -1);
  const events = whole.flatMap((line) => (JSON.parse(line) as { prefect_event?: { id: string; event: string } }).prefect_event ?? []);
  return events.filter(({ event }) => event.startsWith('prefect.')).map(({ id }) => id);
}

/** The runs whose starter was reported to Prefect, once for each report. */
export function runsAnnounced({ prefect }: OutageRoom): readonly string[] {
  using db = new DatabaseSync(prefect.database, { readOnly: true, timeout: 10_000 });
  const rows = db.prepare("SELECT related_resource_ids AS ids FROM events WHERE event = 'lictor.run.started-by'").all();
  return rows.map(({ ids }) => /prefect\.flow-run\.([0-9a-f-]{36})/.exec(String(ids))?.[1] ?? String(ids));
}

/** Waits until both have the same: the ledger what it missed, and Prefect, which writes down some seconds late, what it has streamed. */
export async function untilEqual(room: OutageRoom): Promise<void> {
  const isEqual = (): boolean => {
    const [own, kept] = [eventsOfPrefect(room), eventsOfLedger(room)];
    return difference(own, kept).length === 0 && difference(kept, own).length === 0;
  };
  // What differs then is for the test to name.
  await waitFor(isEqual, { what: 'the ledger and Prefect to have the same events', timeoutMs: 90_000, everyMs: 1_000 }).catch(() => undefined);
}

/** What is in the one and not in the other. */
export function difference(left: readonly string[], right: readonly string[]): readonly string[] {
  const other = new Set(right);
  return left.filter((id) => !other.has(id));
}
