// The main job: a stock Prefect client works through the gateway as it does without one.
import { describe } from 'vitest';
import { sharedPrefect } from '../env/prefect.ts';
import { fullChecks } from './stock/full.ts';
import { reducedChecks } from './stock/reduced.ts';
import { openSession } from './stock/session.ts';

/** `LICTOR_TEST_BARE=1`: the same checks straight at Prefect, to see what is Prefect's own doing. */
describe.runIf(process.env['LICTOR_TEST_BARE'] === '1')('stock client, no gateway', () => {
  const prefect = sharedPrefect();
  const open = (name: string) =>
    openSession(prefect, { venv: prefect.venv, url: prefect.url, credential: { carrier: 'auth-string', token: prefect.authString } }, name);
  describe('full', () => fullChecks(() => open('bare-full')));
  describe('reduced', () => reducedChecks(() => open('bare-reduced')));
});
