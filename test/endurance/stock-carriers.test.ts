// A stock client with each custom header, and below a path: all checks. The short form: test/integration/stock-client.test.ts, public-path-stock.test.ts.
import { afterAll, beforeAll, describe } from 'vitest';
import type { CarrierName } from '../env/client.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { type PrefectServer, startPrefect } from '../env/prefect-server.ts';
import { reducedChecks } from '../integration/stock/reduced.ts';
import { openSession } from '../integration/stock/session.ts';

const ROLES = ['deployer', 'worker'];

describe('a stock client', () => {
  const prefect = sharedPrefect();
  let gateway: Gateway;
  let secret: string;
  beforeAll(async () => {
    gateway = await startGateway({ upstream: prefect });
    secret = (await gateway.token('stock', ROLES)).secret;
  });
  afterAll(() => gateway?.close());
  const open = (carrier: CarrierName) => openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier, token: secret } }, carrier);

  describe('custom header Authorization', () => reducedChecks(() => open('custom-authorization')));
  describe('custom header X-Lictor-Token', () => reducedChecks(() => open('custom-x-lictor-token')));
});

describe('a stock client below a path', () => {
  let prefect: PrefectServer;
  let gateway: Gateway;
  let secret: string;
  beforeAll(async () => {
    prefect = await startPrefect({ uiBase: '/prefect' });
    gateway = await startGateway({ upstream: prefect, basePath: '/prefect' });
    secret = (await gateway.token('stock', ROLES)).secret;
  });
  afterAll(async () => {
    await gateway?.close();
    await prefect?.stop();
  });

  reducedChecks(() => openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: secret } }, 'path'));
});
