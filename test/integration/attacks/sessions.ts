// research rows RD, SE, CS: the login page, return addresses, and writes by cookie.
import { request } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { fourAtOnce } from '../../env/at-once.ts';
import { cookiesOf, navigate, postLogin, type Session } from '../../env/browser-session.ts';
import type { Account } from '../../env/gateway.ts';
import { expectNothingUpstream, expectRefusal } from './harness.ts';
import { harness } from './one-gateway.ts';
import { RETURN_ADDRESSES } from './return-addresses.ts';

const HTML = { accept: 'text/html' };
let account: Account;
let session: Session;

beforeAll(async () => {
  account = await harness.gateway.account('sam', 'admin');
  session = await harness.gateway.login(account);
});

/** Where a browser at `base` would go. */
function destination(base: string, location: string): URL {
  return new URL(location, base);
}

describe('RD-01: return addresses', () => {
  it('RD-01: a navigation to a hostile target, then a login, ends on this origin', async () => {
    const { url } = harness.gateway;
    for (const target of [
      '/deployments?x=https://evil.example',
      '/runs/flow-run/1#//evil.example',
      '/@evil.example',
      '/.evil.example',
      '/%09/evil.example',
      '/?rd=//evil.example',
    ]) {
      const { status, location = '', cookies } = await navigate(`${url}${target}`);
      if (status === 400) continue;
      expect(status).toBe(302);
      const login = destination(url, location);
      expect(login.origin).toBe(url);
      const after = await logInAt(login, cookies);
      expect(destination(url, after).origin, target).toBe(url);
    }
  });

  it('RD-01 twin: the deep link survives the login', async () => {
    const { url } = harness.gateway;
    const link = '/runs/flow-run/11111111-1111-4111-8111-111111111111?tab=Logs&x=a%20b';
    const { status, location = '', cookies } = await navigate(`${url}${link}`);
    expect(status).toBe(302);
    const login = destination(url, location);
    expect(login.pathname).toBe('/.lictor/login');
    const back = destination(url, await logInAt(login, cookies));
    expect(`${back.pathname}${back.search}`).toBe(link);
  });
});

/** The links of the login page for a client with a session at an address of loopback, for a given return address. */
async function whereLoginLeads(address: string, from: string): Promise<URL> {
  const { url } = harness.gateway;
  const first = await get(`${url}/.lictor/login?return=${encodeURIComponent(address)}`, from);
  const login = destination(url, first.location);
  if (login.origin !== url || !login.searchParams.has('attempt')) return login;
  const { html } = await get(login.href, from);
  return destination(url, unescaped(/href="([^"]*)"/.exec(html)?.[1] ?? '/'));
}

/** With the session. The limit on the gateway's own pages is for each address: a refused one proves nothing. */
function get(url: string, from: string): Promise<{ readonly location: string; readonly html: string }> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { family: 4, localAddress: from, headers: { ...HTML, cookie: session.cookie } }, (response) => {
      if (response.statusCode === 429) reject(new Error('the limit does not let it through'));
      textOf(response).then((html) => resolve({ location: response.headers.location ?? '/', html }), reject);
    });
    asked.once('error', reject).end();
  });
}

/** Logs in with the form of that very page; answers the Location. */
async function logInAt(login: URL, cookie: string): Promise<string> {
  const page = await navigate(login, cookie);
  const { html } = page;
  const hidden = Object.fromEntries(
    [...html.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([tag]) => [
      /name="([^"]*)"/.exec(tag)?.[1] ?? '',
      unescaped(/value="([^"]*)"/.exec(tag)?.[1] ?? ''),
    ]),
  );
  const action = unescaped(/<form[^>]*action="([^"]*)"/.exec(html)?.[1] ?? `${login.pathname}${login.search}`);
  const cookies = [cookie, page.cookies].filter((part) => part !== '').join('; ');
  const answer = await fetch(new URL(action, login), {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: harness.gateway.url, accept: 'text/html', cookie: cookies },
    body: new URLSearchParams({ ...hidden, username: account.name, password: account.password }),
  });
  expect([302, 303], await answer.text()).toContain(answer.status);
  return answer.headers.get('location') ?? '';
}

function unescaped(text: string): string {
  return text.replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

describe('SE-01: session fixation', () => {
  it('SE-01: a login gives a fresh id, and an id from before never becomes a session', async () => {
    const name = session.cookie.split('=')[0] ?? '';
    const planted = `${name}=${'A'.repeat(43)}`;
    const { response } = await postLogin(harness.gateway.url, account, { cookie: planted });
    const fresh = cookiesOf(response);
    expect(fresh).not.toContain('A'.repeat(43));
    expect((await harness.gateway.fetch('/api/work_pools/p', { headers: { cookie: planted } })).status).toBe(401);
  });

  it('SE-01: logging in again with a session ends the old one', async () => {
    const first = await harness.gateway.login(account);
    const { response } = await postLogin(harness.gateway.url, account, { cookie: first.cookie });
    const second = cookiesOf(response);
    expect(second).not.toBe(first.cookie);
    expect((await harness.gateway.fetch('/api/work_pools/p', { headers: { cookie: first.cookie } })).status).toBe(401);
    expect((await harness.gateway.fetch('/api/work_pools/p', { headers: { cookie: second } })).status).toBe(200);
  });

  it('SE-01: the cookie is HttpOnly, SameSite and for the whole path', async () => {
    const { response } = await postLogin(harness.gateway.url, account);
    const line = response.headers.getSetCookie().find((cookie) => cookie.startsWith('lictor=')) ?? '';
    expect(line).toMatch(/; *HttpOnly/i);
    expect(line).toMatch(/; *SameSite=Lax/i);
    expect(line).toMatch(/; *Path=\/(;|$)/i);
  });
});

describe('SE-01: a known device', () => {
  it('SE-01: logs in although strangers at its address have used up the attempts at its account', async () => {
    const { gateway } = harness;
    const owner = await gateway.account('owner', 'viewer');
    const device = /lictor-device=[\w-]+/.exec(cookiesOf((await postLogin(gateway.url, owner)).response))?.[0] ?? '';
    for (let count = 0; count < 5; count += 1) await postLogin(gateway.url, { ...owner, password: 'wrong' });
    expect((await postLogin(gateway.url, owner)).response.status).toBe(429);
    expect((await postLogin(gateway.url, owner, { cookie: `a=b; ${device}; c=d` })).response.status).toBe(303);
    // It proves no identity.
    expect((await gateway.fetch('/api/work_pools/p', { headers: { cookie: device } })).status).toBe(401);
  });
});

describe('SE-02: forged logins and logouts', () => {
  it.each([
    ['a foreign Origin', { origin: 'https://evil.example' }],
    ['a sibling Origin', { origin: 'http://evil.localhost' }],
    ['Origin null', { origin: 'null' }],
    ['a cross-site fetch', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
  ])('SE-02: a login with %s gives no session', async (_what, headers) => {
    const { response } = await postLogin(harness.gateway.url, account, headers);
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(cookiesOf(response)).not.toMatch(/(^|; )lictor=/);
  });

  it('SE-02: a logout from a foreign Origin leaves the session alive', async () => {
    const own = await harness.gateway.login(account);
    const headers = { cookie: own.cookie, origin: 'https://evil.example' };
    const response = await fetch(`${harness.gateway.url}/.lictor/logout`, { method: 'POST', redirect: 'manual', headers });
    expect(response.status).toBe(403);
    expect((await harness.gateway.fetch('/api/work_pools/p', { session: own })).status).toBe(200);
  });

  it('SE-02: a GET does not log out', async () => {
    const own = await harness.gateway.login(account);
    await fetch(`${harness.gateway.url}/.lictor/logout`, { redirect: 'manual', headers: { cookie: own.cookie } });
    expect((await harness.gateway.fetch('/api/work_pools/p', { session: own })).status).toBe(200);
  });

  it('SE-02 twin: the own logout ends the session at once', async () => {
    const own = await harness.gateway.login(account);
    expect((await harness.gateway.fetch('/api/work_pools/p', { session: own })).status).toBe(200);
    const response = await harness.gateway.fetch('/.lictor/logout', { method: 'POST', session: own });
    expect(response.status).toBeLessThan(400);
    expect((await harness.gateway.fetch('/api/work_pools/p', { session: own })).status).toBe(401);
  });
});

describe('CS-01: writes by cookie', () => {
  const BODY = '{"name":"cs","value":1}';
  const write = (headers: Readonly<Record<string, string>>) =>
    fetch(`${harness.gateway.url}/api/variables/`, { method: 'POST', redirect: 'manual', headers: { cookie: session.cookie, ...headers }, body: BODY });
  const json = { 'content-type': 'application/json' };

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ['no Origin', json],
    ['a foreign Origin', { ...json, origin: 'https://evil.example' }],
    ['a sibling subdomain', { ...json, origin: 'http://evil.localhost' }],
    ['another port', { ...json, origin: 'http://localhost:1' }],
    ['another scheme', { ...json, origin: 'https://localhost' }],
    ['Origin null', { ...json, origin: 'null' }],
    ['same-site', { ...json, 'sec-fetch-site': 'same-site' }],
    ['no Origin, a navigation', { ...json, 'sec-fetch-site': 'none' }],
    ['a foreign Origin that claims same-origin', { ...json, origin: 'https://evil.example', 'sec-fetch-site': 'same-origin' }],
    ['text/plain from elsewhere', { 'content-type': 'text/plain', origin: 'https://evil.example' }],
  ])('CS-01: %s is 403 origin-foreign', async (_what, headers) => {
    await expectRefusal(await write(headers), 403, 'origin-foreign');
    expectNothingUpstream(harness);
  });

  it.each(['text/plain', 'application/vnd.x+json', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16', 'multipart/form-data; boundary=x'])(
    'CS-01: own Origin with Content-Type %s is 415',
    async (type) => {
      await expectRefusal(await write({ origin: harness.gateway.url, 'content-type': type }), 415, 'content-type-unsupported');
      expectNothingUpstream(harness);
    },
  );

  it('CS-01: own Origin without any Content-Type is 415', async () => {
    const init = { method: 'POST', headers: { cookie: session.cookie, origin: harness.gateway.url }, body: new Blob([BODY]) };
    await expectRefusal(await fetch(`${harness.gateway.url}/api/variables/`, init), 415, 'content-type-unsupported');
    expectNothingUpstream(harness);
  });

  it('CS-01: a read by POST needs the Origin too', async () => {
    const init = { method: 'POST', headers: { cookie: session.cookie, ...json }, body: '{}' };
    await expectRefusal(await fetch(`${harness.gateway.url}/api/variables/filter`, init), 403, 'origin-foreign');
    expectNothingUpstream(harness);
  });

  it.each(['authorization', 'x-lictor-token'])('CS-01 twin: with %s beside the cookie, the token decides, from wherever it comes', async (name) => {
    const shown = (token: string) => ({ ...json, [name]: name === 'authorization' ? `Bearer ${token}` : token });
    expect((await write(shown(harness.admin))).status).toBe(200);
    expect((await write({ ...shown(harness.admin), origin: 'https://evil.example' })).status).toBe(200);
    expect(await harness.gateway.lictorOk('audit', '--action', 'variables.write', '--principal', 'token:t-admin', '--json')).toContain('"decision":"allow"');
    harness.recorder.clear();
    await expectRefusal(await write(shown(harness.viewer)), 403, 'policy-default-deny');
    expect((await write(shown('nobody'))).status).toBe(401);
    expectNothingUpstream(harness);
  });

  it.each<readonly [string, (url: string) => Readonly<Record<string, string>>]>([
    ['own Origin', (url) => ({ ...json, origin: url })],
    ['Sec-Fetch-Site: same-origin', () => ({ ...json, 'sec-fetch-site': 'same-origin' })],
    ['charset=utf-8', (url) => ({ 'content-type': 'application/json; charset=utf-8', origin: url })],
  ])('CS-01 twin: %s passes', async (_what, headers) => {
    expect((await write(headers(harness.gateway.url))).status).toBe(200);
    expect(harness.recorder.seen().map(({ target }) => target)).toEqual(['/api/variables/']);
  });
});

describe('RD-01: hostile return addresses', () => {
  it(`RD-01: none of ${RETURN_ADDRESSES.length} hostile ones leads to another origin`, async () => {
    const ends = await fourAtOnce(RETURN_ADDRESSES, (address, index) => whereLoginLeads(address, `127.0.0.${10 + (index % 10)}`));
    const astray = ends.flatMap((end, index) => (end.origin === harness.gateway.url ? [] : [`${JSON.stringify(RETURN_ADDRESSES[index])} -> ${end.href}`]));
    expect(astray).toEqual([]);
  }, 240_000);
});
