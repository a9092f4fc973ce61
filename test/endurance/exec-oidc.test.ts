// The same as test/integration/exec-oidc.test.ts in full: tokens of a minute, a flow of five, and two minutes without the provider.
import { afterAll, beforeAll, it } from 'vitest';
import { type ExpiryRoom, openExpiryRoom, runThroughOutage } from '../integration/expiry.ts';

const FORM = { tokenSeconds: 60, outageMs: 120_000, tasks: 50, secondsPerTask: 6 };
let room: ExpiryRoom;
beforeAll(async () => {
  room = await openExpiryRoom(FORM.tokenSeconds);
});
afterAll(() => room?.close());

it('a worker under lictor exec runs a flow of five minutes to Completed', () => runThroughOutage(room, FORM), 1_200_000);
