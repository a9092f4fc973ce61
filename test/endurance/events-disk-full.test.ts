// Stock clients of all versions connect to `/events/in` while the ledger cannot be written: no event is lost, and none passes before its record.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CarrierName, stockClient } from '../env/client.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, field, sharedPrefect } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { type SmallDisk, startSmallDisk } from '../env/small-disk.ts';
import { oldClientVenv } from '../env/venv.ts';

const prefect = sharedPrefect();
const server = directTo(prefect);
let disk: SmallDisk;
let gateway: Gateway;
let token: string;
beforeAll(async () => {
  disk = await startSmallDisk(24);
  gateway = await startGateway({ upstream: prefect, inside: { stateDir: disk.directory, command: disk.command } });
  token = (await gateway.token('worker', ['worker'])).secret;
});
afterAll(async () => {
  await disk?.free();
  await gateway?.close();
  await disk?.close();
});

const CLIENTS: readonly (readonly [version: string, carrier: CarrierName, venv: () => Promise<string>])[] = [
  ['3.6.13', 'custom-x-lictor-token', () => oldClientVenv('3.6.13')],
  ['3.7.2', 'auth-string', () => oldClientVenv('3.7.2')],
  ['3.8.2', 'auth-string', () => oldClientVenv('3.8.2')],
  ['3.9.1', 'auth-string', async () => prefect.venv],
];

/** One after the other, while the client connects; then it waits for the last one, as a flow run does at its end. */
const script = (name: string): string => `
import logging, time
logging.basicConfig(level=logging.DEBUG)
from prefect.events import emit_event
from prefect.events.worker import EventsWorker
for number in range(5):
    emit_event("${name}", resource={"prefect.resource.id": f"disk.{number}"})
    time.sleep(0.1)
EventsWorker.drain_all(timeout=120)
`;

const arrived = async (name: string): Promise<unknown> => field(await server.post('/events/filter', { filter: { event: { name: [name] } } }), 'total');
const refused = async (): Promise<boolean> =>
  (await gateway.fetch('/api/logs/', { method: 'POST', token, body: '[]', headers: { 'content-type': 'application/json' } })).status === 503;

describe('a full disk', () => {
  it.each(CLIENTS)(
    'delays the events of a client of %s until there is room',
    async (version, carrier, venv) => {
      const name = `disk.full.${version}`;
      const client = stockClient({ venv: await venv(), url: gateway.url, credential: { carrier, token } });
      const isFull = async (): Promise<boolean> => {
        await disk.fill();
        return refused();
      };
      await waitFor(isFull, { what: 'changes to be refused', everyMs: 100 });
      const emitting = await client.startPython(['-c', script(name)]);
      await waitFor(() => emitting.output().includes('attempt 2/11 failed') || !emitting.running(), { what: 'a second refusal', timeoutMs: 90_000 });
      expect(await arrived(name)).toBe(0);
      await disk.free();
      expect(await emitting.exited, emitting.output()).toMatchObject({ code: 0 });
      expect(emitting.output()).not.toContain('pending items');
      await waitFor(async () => (await arrived(name)) === 5, { what: 'every event', timeoutMs: 60_000 });
      await client.stop();
    },
    600_000,
  );
});
