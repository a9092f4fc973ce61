// Keycloak through nginx and the whole gateway: sessions that are refreshed, ended by the provider, outlive a restart and an outage.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { navigate, type Session } from '../env/browser-session.ts';
import { type Gateway, type GatewayOptions, jsonLines, startGateway } from '../env/gateway.ts';
import { CLIENT, type Keycloak, PEOPLE, sharedKeycloak } from '../env/keycloak.ts';
import { goToKeycloak, logInThroughKeycloak } from '../env/keycloak-login.ts';
import type { Person } from '../env/keycloak-person.ts';
import { waitFor } from '../env/process.ts';
import { authFrame, openSocket } from '../env/socket.ts';
import { type Recorder, startRecorder } from '../env/upstream-recorder.ts';

/** Seconds between two questions at Keycloak: long enough to do something in between on a busy machine. */
const REFRESH_SECONDS = 10;
const PATIENCE = { timeoutMs: 60_000 };

const SCIM_TOKEN = 'token-of-keycloak-token-of-keycloak-0123456789';
const directory = mkdtempSync(join(tmpdir(), 'lictor-oidc-'));
const scimToken = join(directory, 'scim-token');
writeFileSync(scimToken, SCIM_TOKEN, { mode: 0o600 });

let keycloak: Keycloak;
let upstream: Recorder;
let gateway: Gateway;

beforeAll(async () => {
  [keycloak, upstream] = await Promise.all([sharedKeycloak(), startRecorder()]);
  gateway = await startGateway(options());
  await Promise.all([keycloak.serve(gateway.url, 'corp'), keycloak.setTokenLifetime(REFRESH_SECONDS)]);
}, 400_000);
afterAll(async () => {
  await gateway?.close();
  await upstream?.close();
  await keycloak?.start().catch(() => undefined);
  await keycloak?.setTokenLifetime(300);
  rmSync(directory, { recursive: true });
});

const options = (): GatewayOptions => ({
  upstream: { url: upstream.url, authString: null },
  config: {
    identity_providers: [{ id: 'corp', type: 'oidc', issuer: keycloak.issuer, client_id: CLIENT.id, client_secret: '${IDP_SECRET}' }],
    roles: [
      { role: 'admin', members: ['group:platform@corp'] },
      { role: 'viewer', members: ['group:team-a@corp'] },
    ],
    scim: { token_file: scimToken },
  },
  env: { IDP_SECRET: CLIENT.secret },
});

let people = 0;
const newPerson = async (...groups: readonly string[]): Promise<Person> => {
  people += 1;
  return await keycloak.addUser(`person-${Date.now().toString(36)}-${people}`, groups);
};
const ask = async (session: Session, path = '/api/admin/version'): Promise<number> => (await gateway.fetch(path, { session })).status;
const whoAmI = async (session: Session): Promise<{ readonly roles?: readonly string[]; readonly expires_at?: string }> =>
  Object(await (await gateway.fetch('/.lictor/api/v1/me', { session })).json());
/** Until the next request of this session is the one that asks Keycloak. */
const untilDue = async (session: Session): Promise<void> => {
  const { expires_at: due = '' } = await whoAmI(session);
  await waitFor(() => Date.now() > Date.parse(due), { what: 'the refresh to be due', timeoutMs: 2 * REFRESH_SECONDS * 1000 });
};
const scim = async (method: string, path: string, body: object): Promise<Readonly<Record<string, unknown>>> => {
  const headers = { 'content-type': 'application/scim+json' };
  const answer = await gateway.fetch(`/.lictor/scim/v2/${path}`, { method, token: SCIM_TOKEN, headers, body: JSON.stringify(body) });
  expect(answer.ok, `${answer.status}`).toBe(true);
  return Object(await answer.json());
};
const records = async (action: string) => jsonLines(await gateway.lictorOk('audit', '--json', '--action', action));

describe('an answer through nginx', () => {
  it('lands at the deep link, by a cookie of the attempt that no other attempt has', async () => {
    const alice = await logInThroughKeycloak(gateway.url, PEOPLE.alice, '/runs?tab=Logs');
    expect(alice.location).toBe('/runs?tab=Logs');
    expect(alice.cookie).toMatch(/^lictor=[\w-]{43}$/);
    expect(await ask(alice)).toBe(200);
  });

  it('without the cookie, with that of another attempt, or twice is refused, whatever else is in the Cookie header', async () => {
    const [one, two] = [await goToKeycloak(gateway.url, PEOPLE.alice), await goToKeycloak(gateway.url, PEOPLE.alice)];
    const renamed = two.cookie.replace(/login-[\w-]{22}/, `login-${one.url.searchParams.get('state')}`);
    for (const cookie of ['', two.cookie, renamed, one.cookie.toUpperCase()]) {
      const { url } = await goToKeycloak(gateway.url, PEOPLE.alice);
      const state = url.searchParams.get('state') ?? '';
      expect((await navigate(url, cookie.replace(one.url.searchParams.get('state') ?? '', state))).html, cookie).toContain('login-other-browser');
    }
    const landed = await navigate(one.url, `a=b; ${two.cookie}; ${one.cookie}; c=d`);
    expect([landed.status, (await navigate(one.url, one.cookie)).html.includes('login-unknown')]).toEqual([303, true]);
  });

  it('of a person without a group is the page that names it', async () => {
    const { url, cookie } = await goToKeycloak(gateway.url, PEOPLE.bob);
    const page = await navigate(url, cookie);
    expect([page.status, page.cookies]).toEqual([403, '']);
    expect(page.html).toMatch(/<code>platform<\/code>.*<code>team-a<\/code>/s);
  });
});

describe('a session', () => {
  it('outlives a restart of the gateway', async () => {
    const session = await logInThroughKeycloak(gateway.url, await newPerson('platform'));
    expect(await gateway.stop()).toEqual([]);
    await gateway.up();
    expect(await ask(session)).toBe(200);
  });
});

// Each waits for its own refresh.
describe.concurrent('a session that goes on', () => {
  it('is refreshed by one question for fifty requests, over and over with rotating tokens; new groups are taken over', async () => {
    const person = await newPerson('platform');
    const session = await logInThroughKeycloak(gateway.url, person);
    await untilDue(session);
    // A refresh token that is used twice ends the session: Keycloak revokes it.
    const answers = await Promise.all(Array.from({ length: 50 }, () => ask(session, `/api/flow_runs/${crypto.randomUUID()}`)));
    expect(answers.filter((status) => status === 401 || status >= 500)).toEqual([]);
    expect((await whoAmI(session)).roles).toEqual(['admin']);
    await keycloak.setGroups(person.name, ['team-a']);
    await untilDue(session);
    await waitFor(async () => (await whoAmI(session)).roles?.join() === 'viewer', { what: 'the new group', ...PATIENCE });
  });

  it('of a person who is disabled ends at the next refresh, sockets too', async () => {
    const person = await newPerson('platform');
    const session = await logInThroughKeycloak(gateway.url, person);
    const socket = openSocket(gateway.url, '/api/events/out', { headers: { cookie: session.cookie, origin: gateway.url }, first: authFrame(null) });
    expect(await socket.opened).toBe(true);
    await keycloak.setEnabled(person.name, false);
    // Nobody asks: the socket's own end is what is waited for.
    expect((await socket.ended).code).toBe(1012);
    expect(await ask(session)).toBe(401);
    await waitFor(async () => (await records('session.refresh')).some(({ principal }) => principal === `${person.name}@corp`), {
      what: 'the record',
      ...PATIENCE,
    });
  });

  it('that SCIM deactivates is over within two seconds, under load, sockets too', async () => {
    const person = await newPerson('platform');
    const [session, other] = [await logInThroughKeycloak(gateway.url, person), await logInThroughKeycloak(gateway.url, await newPerson('platform'))];
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    const groups = ['urn:ietf:params:scim:schemas:core:2.0:Group'];
    const { id } = await scim('POST', 'Users', { schemas, userName: person.name.toUpperCase() });
    await scim('POST', 'Groups', { schemas: groups, displayName: 'platform', members: [{ value: id }] });
    const socket = openSocket(gateway.url, '/api/events/out', { headers: { cookie: session.cookie, origin: gateway.url }, first: authFrame(null) });
    expect([await socket.opened, await ask(session)]).toEqual([true, 200]);
    let [answered, lastMs] = [0, 0];
    const load = Array.from({ length: 4 }, async () => {
      for (;;) {
        const status = await ask(session);
        if (status !== 200) return status;
        answered += 1;
        lastMs = performance.now();
      }
    });
    await waitFor(() => answered >= 40, { what: 'the load', ...PATIENCE });
    const Operations = [{ op: 'Replace', path: 'active', value: 'False' }];
    await scim('PATCH', `Users/${id}`, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations });
    const deactivatedMs = performance.now();
    // Each ends with the first answer that is not 200.
    expect(await Promise.all(load)).toEqual([401, 401, 401, 401]);
    expect(lastMs - deactivatedMs).toBeLessThan(2000);
    expect((await socket.ended).code).toBe(1012);
    expect(performance.now() - deactivatedMs).toBeLessThan(2000);
    expect([await ask(session), await ask(other)]).toEqual([401, 200]);
    const [record] = (await records('scim.users.update')).filter(({ resource_id: resource }) => resource === id);
    expect(record).toMatchObject({ principal: 'scim:corp', decision: 'allow', source_ip: '127.0.0.1' });
  });

  it('that an administrator of Keycloak ends is over at once, by back-channel logout, sockets too', async () => {
    const person = await newPerson('platform');
    const [session, other] = [await logInThroughKeycloak(gateway.url, person), await logInThroughKeycloak(gateway.url, await newPerson('platform'))];
    const socket = openSocket(gateway.url, '/api/events/out', { headers: { cookie: session.cookie, origin: gateway.url }, first: authFrame(null) });
    expect([await socket.opened, await ask(session)]).toEqual([true, 200]);
    await keycloak.logOut(person.name);
    expect((await socket.ended).code).toBe(1012);
    expect([await ask(session), await ask(other)]).toEqual([401, 200]);
    // It is written when all of it holds.
    const written = async () => (await records('session.backchannel_logout')).find(({ principal }) => principal === `${person.name}@corp`);
    expect(await waitFor(written, { what: 'the record', ...PATIENCE })).toMatchObject({ decision: 'allow', idp: 'corp' });
  });
});

describe('over https and below a path', () => {
  it('a login lands at the deep link there, by cookies of that path; without that of the attempt it does not', async () => {
    const below = await startGateway({ ...options(), basePath: '/prefect', tls: { self_made: true } });
    try {
      await keycloak.serve(below.url, 'corp');
      const { cookie, location } = await logInThroughKeycloak(below.url, await newPerson('platform'), '/runs?tab=Logs');
      expect([cookie, location]).toEqual([expect.stringMatching(/^__Secure-lictor=[\w-]{43}$/), '/prefect/runs?tab=Logs']);
      expect((await navigate(`${below.url}/runs`, cookie)).status).toBe(200);
      expect((await navigate(`${below.url}/runs`)).status).toBe(302);
      const { url } = await goToKeycloak(below.url, await newPerson('platform'));
      expect(url.href.startsWith(`${below.url}/.lictor/callback/corp?`)).toBe(true);
      expect(await navigate(url)).toMatchObject({ status: 400, cookies: '' });
    } finally {
      await keycloak.serve(gateway.url, 'corp');
      await below.close();
    }
  });
});

describe("Keycloak's signing keys", () => {
  it('may change: the next login is checked with the new one', async () => {
    await logInThroughKeycloak(gateway.url, await newPerson('platform'));
    await keycloak.rotateKeys();
    expect(await ask(await logInThroughKeycloak(gateway.url, await newPerson('platform')))).toBe(200);
  });
});

describe('while Keycloak is away', () => {
  it('sessions live on, nobody new gets in, and the login page says so; no token is anywhere in the state directory', async () => {
    const session = await logInThroughKeycloak(gateway.url, await newPerson('platform'));
    await keycloak.stop();
    await untilDue(session);
    expect(await ask(session)).toBe(200);
    // What was read of Keycloak in the last ten seconds counts as its presence.
    const login = () => navigate(new URL(`${gateway.url}/.lictor/login`));
    await waitFor(async () => (await login()).status === 503, { what: 'the login page to notice', timeoutMs: 30_000, everyMs: 500 });
    const page = await login();
    expect(page.status).toBe(503);
    expect(page.html).toMatch(/cannot be reached\..*Try again in a minute.*idp-unavailable/s);
    expect(await gateway.stop()).toEqual([]);
    expectNoToken(gateway.stateDir);
  });
});

const JWT = /eyJ[\w-]{20,}\.[\w-]{20,}/;

/** Keycloak's tokens are JWTs, its refresh tokens too. Node's own cache of code is not what is looked at. */
function expectNoToken(directory: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.parentPath.includes('compile-cache')) continue;
    const file = join(entry.parentPath, entry.name);
    expect(JWT.test(readFileSync(file, 'latin1')), file).toBe(false);
  }
}
