// The main job: a stock Prefect client works through the gateway as it does without one. The custom headers: run-tokens.test.ts; more of them: test/endurance/stock-carriers.test.ts.
import { afterAll, beforeAll, describe } from 'vitest';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { fullChecks } from './stock/full.ts';
import { reducedChecks } from './stock/reduced.ts';
import { openSession } from './stock/session.ts';

/** `LICTOR_TEST_BARE=1`: the same checks straight at Prefect instead, to see what is Prefect's own doing. */
if (process.env['LICTOR_TEST_BARE'] === '1') describe('stock client, no gateway', straight);
else describe('through the gateway', throughTheGateway);

function straight(): void {
  const prefect = sharedPrefect();
  const open = (name: string) =>
    openSession(prefect, { venv: prefect.venv, url: prefect.url, credential: { carrier: 'auth-string', token: prefect.authString } }, name);
  describe('full', () => fullChecks(() => open('bare-full')));
  describe('reduced', () => reducedChecks(() => open('bare-reduced')));
}

function throughTheGateway(): void {
  const prefect = sharedPrefect();
  let gateway: Gateway;
  let secret: string;
  beforeAll(async () => {
    gateway = await startGateway({ upstream: prefect });
    secret = (await gateway.token('stock', ['deployer', 'worker'])).secret;
  });
  afterAll(() => gateway?.close());
  const open = () =>
    openSession(prefect, { venv: prefect.venv, url: gateway.url, credential: { carrier: 'auth-string', token: secret }, ownProcesses: true }, 'auth-string');

  describe('auth string any:TOKEN', () => fullChecks(open));
}
