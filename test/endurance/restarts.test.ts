// The same as test/integration/restarts.test.ts for longer: the control plane is away for 20 s.
import { afterAll, beforeAll, it } from 'vitest';
import { type StockClient, stockClient } from '../env/client.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { directTo, sharedPrefect } from '../env/prefect.ts';
import { controlPlaneAway } from '../integration/restarts/away.ts';

const prefect = sharedPrefect();
let gateway: Gateway;
let client: StockClient;

beforeAll(async () => {
  gateway = await startGateway({ upstream: prefect });
  const { secret: token } = await gateway.token('worker', ['worker']);
  client = stockClient({ venv: prefect.venv, url: gateway.url, credential: { carrier: 'custom-authorization', token } });
});
afterAll(async () => {
  await client?.stop();
  await gateway?.close();
});

it('decided callers go on for 20 s, others get 503, and a worker lives', async () => {
  await controlPlaneAway({ gateway, client, server: directTo(prefect), awayMs: 20_000 });
}, 120_000);
