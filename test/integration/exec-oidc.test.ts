// `lictor exec` with a real identity provider: tokens of ten seconds, and thirteen seconds without it. Longer: test/endurance.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MACHINE } from '../env/keycloak.ts';
import { field, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { type ExpiryRoom, openExpiryRoom, runThroughOutage } from './expiry.ts';

const FORM = { tokenSeconds: 10, outageMs: 13_000, tasks: 35, secondsPerTask: 0.8 };
let room: ExpiryRoom;
beforeAll(async () => {
  room = await openExpiryRoom(FORM.tokenSeconds);
});
afterAll(() => room?.close());

it('a worker and its flow of 35 tasks outlive their credential many times, and its provider for thirteen seconds', () => runThroughOutage(room, FORM), 400_000);

it('twin: the same credential, read once, is refused when its ten seconds are over', async () => {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: MACHINE.id, client_secret: MACHINE.secret });
  const granted: unknown = await (await fetch(`${room.keycloak.issuer}/protocol/openid-connect/token`, { method: 'POST', body: form })).json();
  const ask = () => room.gateway.fetch('/api/admin/version', { token: text(field(granted, 'access_token')) });
  expect((await ask()).status).toBe(200);
  const refused = await waitFor<Response | undefined>(
    async () => {
      const answer = await ask();
      return answer.status === 401 ? answer : undefined;
    },
    { what: 'the end of the credential', timeoutMs: 60_000, everyMs: 1000 },
  );
  expect(await refused?.json()).toMatchObject({ code: 'credential-expired' });
});
