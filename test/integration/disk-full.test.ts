// The disk of the state directory is full: changes are refused and nothing of them reaches Prefect, reads go on, and all heals when there is room again.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { isAlive, signalProcess, waitFor } from '../env/process.ts';
import { type SmallDisk, startSmallDisk } from '../env/small-disk.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

const RUN = '/api/flow_runs/00000000-0000-4000-8000-000000000001';
const STATE = JSON.stringify({ state: { type: 'RUNNING', name: 'Running' }, force: false });
const JSON_TYPE = { 'content-type': 'application/json' };

let recorder: Recorder;
let disk: SmallDisk;
let gateway: Gateway;
let worker: string;
let reader: string;
/** Of nobody whom the gateway has seen before: no decision about them is remembered. */
const strangers: string[] = [];

beforeAll(async () => {
  recorder = await startRecorder();
  disk = await startSmallDisk(24);
  gateway = await startGateway({ upstream: recorder, inside: { stateDir: disk.directory, command: disk.command } });
  worker = (await gateway.token('worker', ['worker', 'operator'])).secret;
  reader = (await gateway.token('reader', ['viewer'])).secret;
  for (const name of ['first', 'second', 'third', 'fourth']) strangers.push((await gateway.token(name, ['viewer'])).secret);
});
afterAll(async () => {
  await disk?.free();
  await gateway?.close();
  await disk?.close();
  await recorder?.close();
});

const read = (token = reader, path = RUN) => gateway.fetch(path, { token });
/** Through the mediator. */
const change = () => gateway.fetch(`${RUN}/set_state`, { method: 'POST', token: worker, body: STATE, headers: JSON_TYPE });
/** Straight to Prefect, by a decision that may be remembered. */
const write = () => gateway.fetch('/api/logs/', { method: 'POST', token: worker, body: '[]', headers: JSON_TYPE });
const writesSeen = () => recorder.seen().filter(({ method }) => method === 'POST');

/** Less than nginx is to have for its lines (src/record/ledger/log-room.ts). */
const NO_ROOM_BYTES = 1 << 20;

/** A ledger that fails closes its files, and may give back the room of its write-ahead log: that is taken too, until a refusal leaves none. */
async function fillUntilNoticed(): Promise<void> {
  const isNoticed = async (): Promise<boolean> => {
    await disk.fill();
    return (await change()).status === 503 && (await disk.freeBytes()) < NO_ROOM_BYTES;
  };
  await waitFor(isNoticed, { what: 'a change to be refused', everyMs: 100 });
}

async function expectChangesRefused(): Promise<void> {
  await fillUntilNoticed();
  recorder.clear();
  for (const ask of [change, write]) {
    const refused = await ask();
    expect(refused.status).toBe(503);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // Nothing was forwarded: stock clients may wait for as long as it takes.
    expect(refused.headers.get('prefect-maintenance')).toBe('true');
    expect(await refused.json()).toMatchObject({ code: expect.stringMatching(/^(?:ledger-unavailable|gateway-unavailable)$/) });
  }
  expect(writesSeen()).toEqual([]);
}

async function expectReadsGoOn(): Promise<void> {
  expect((await read()).status).toBe(200);
  expect((await read(strangers.pop())).status).toBe(200);
  expect((await read('lct_none')).status).toBe(401);
}

async function expectHealed(): Promise<void> {
  await waitFor(async () => (await change()).status < 300, { what: 'changes to be taken again', everyMs: 200 });
  await waitFor(async () => (await write()).status < 300, { what: 'direct writes to be taken again', everyMs: 200 });
  await waitFor(
    async () => jsonLines(await gateway.lictorOk('audit', '--json')).some(({ action }) => action === 'ledger.recovered' || action === 'gateway.started'),
    {
      what: 'a record of it',
      everyMs: 500,
    },
  );
  expect(await gateway.lictorOk('audit', 'verify')).toContain('no record was edited, removed, added or moved');
}

describe('a full disk', () => {
  it('stops changes, on both ways and remembered decisions too, and not reads; with room again everything goes on by itself', async () => {
    expect((await change()).status).toBeLessThan(300);
    expect((await write()).status).toBeLessThan(300);
    const { control, nginx } = gateway.pids();
    await fillUntilNoticed();
    await expectChangesRefused();
    await expectReadsGoOn();
    await disk.free();
    await expectHealed();
    expect(gateway.pids()).toMatchObject({ control, nginx });
  });

  it('has a record of every change that was answered, once', async () => {
    const answered: string[] = [];
    const ask = async (): Promise<number> => {
      const answer = await change();
      if (answer.ok) answered.push(answer.headers.get('x-request-id') ?? '');
      return answer.status;
    };
    await ask();
    const filled = disk.fill();
    await waitFor(async () => (await ask()) === 503, { what: 'a change to be refused' });
    await filled;
    await disk.free();
    await waitFor(async () => (await ask()) < 300, { what: 'a change to be taken', everyMs: 200 });
    const records = jsonLines(await gateway.lictorOk('audit', '--principal', 'token:worker', '--json'));
    const times = (id: string) => records.filter(({ request_id: requestId }) => requestId === id).length;
    expect(answered.map(times)).toEqual(answered.map(() => 1));
  });

  it('has a record of each read, or one that names the time in which it is missing', async () => {
    const reads: { id: string; fromMs: number; untilMs: number }[] = [];
    const ask = async (): Promise<string> => {
      const fromMs = Date.now();
      const answer = await read();
      expect(answer.status).toBe(200);
      const id = answer.headers.get('x-request-id') ?? '';
      reads.push({ id, fromMs, untilMs: Date.now() });
      return id;
    };
    await ask();
    await disk.fill();
    for (let number = 0; number < 40; number += 1) await ask();
    // Nobody asked for a change: it is seen all the same, since direct writes would go by unseen too.
    await waitFor(lacksTheLedgerAlone, { what: 'the full disk to be noticed', everyMs: 100 });
    await expectChangesRefused();
    await disk.free();
    await expectHealed();
    const isRecorded = async (id: string) => jsonLines(await gateway.lictorOk('audit', '--request', id, '--json')).length === 1;
    const last = await ask();
    await waitFor(() => isRecorded(last), { what: 'the record of what comes afterwards', everyMs: 200 });
    const all = jsonLines(await gateway.lictorOk('audit', '--json'));
    const missing = reads.filter(({ id }) => !all.some(({ request_id: requestId }) => requestId === id));
    expect(missing.length, 'nginx had no room for them').toBeGreaterThan(0);
    const gaps = all
      .filter(({ action }) => action === 'ledger.recovered')
      .map(({ time, duration_ms: ms }) => [Date.parse(String(time)) - Number(ms), Date.parse(String(time))]);
    const outside = missing.filter(({ fromMs, untilMs }) => !gaps.some(([from = 0, until = 0]) => untilMs >= from && fromMs <= until));
    expect(outside).toEqual([]);
  });

  it.each([
    ['by itself', false],
    ['after its control plane was killed', true],
  ])('that fills between the intent of a change and its outcome costs the change no record: %s', async (_how, isKilled) => {
    recorder.answerWith(async ({ method, target }) => {
      if (method !== 'POST' || !target.endsWith('/set_state')) return undefined;
      await disk.fill();
      return { status: 201, body: '{"status":"ACCEPT","state":null}' };
    });
    const answer = await change();
    recorder.answerWith(undefined);
    // Prefect has done it, so the client gets this answer, with or without a record.
    expect(answer.status).toBe(201);
    const id = answer.headers.get('x-request-id') ?? '';
    await waitFor(async () => (await change()).status === 503, { what: 'a change to be refused', everyMs: 100 });
    expect((await read()).status).toBe(200);
    if (isKilled) {
      const { control } = gateway.pids();
      signalProcess(control, 'SIGKILL');
      await waitFor(async () => !isAlive(control) && hasControlPlane() && (await lacksTheLedgerAlone()), {
        ...{ what: 'a new control plane', timeoutMs: 60_000, everyMs: 500 },
      });
    }
    await disk.free();
    await expectHealed();
    const found = async () => jsonLines(await gateway.lictorOk('audit', '--request', id, '--json'));
    await waitFor(async () => (await found()).length > 0, { what: 'the record of the change', timeoutMs: 60_000, everyMs: 500 });
    const [record] = await found();
    expect(record).toMatchObject({ request_id: id, principal: 'token:worker', action: 'flow_runs.set_state' });
    expect(await found()).toHaveLength(1);
    // What the killed one knew of the outcome is gone with it, and so is the line for which nginx had no room: the record says so.
    expect([201, ...(isKilled ? ['outcome-unknown'] : [])]).toContain(record?.['reason'] === 'outcome-unknown' ? 'outcome-unknown' : record?.['status']);
  });

  it('lets a control plane that dies meanwhile come up again, and serve reads', async () => {
    await fillUntilNoticed();
    const { control } = gateway.pids();
    signalProcess(control, 'SIGKILL');
    await waitFor(async () => !isAlive(control) && hasControlPlane() && (await lacksTheLedgerAlone()), {
      what: 'a new control plane',
      timeoutMs: 60_000,
      everyMs: 500,
    });
    await expectReadsGoOn();
    await expectChangesRefused();
    await disk.free();
    await expectHealed();
  });

  it('lets a gateway that was stopped start, and serve reads', async () => {
    expect(await gateway.stop()).toEqual([]);
    await disk.fill();
    await gateway.up(lacksTheLedgerAlone);
    await expectReadsGoOn();
    await expectChangesRefused();
    await disk.free();
    await expectHealed();
  });
});

async function lacksTheLedgerAlone(): Promise<boolean> {
  const answer: { readonly checks?: Readonly<Record<string, string>> } = JSON.parse(await gateway.fetch('/.lictor/ready').then((response) => response.text()));
  const failed = Object.entries(answer.checks ?? {}).filter(([, state]) => state !== 'ok');
  return failed.length === 1 && failed[0]?.[0] === 'ledger';
}

function hasControlPlane(): boolean {
  try {
    return gateway.pids().control > 0;
  } catch {
    return false; // It is being started.
  }
}
