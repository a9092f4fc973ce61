import { describe, expect, it } from 'vitest';
import { AT_MS, answer, answering, PAGE, REFUSED } from './answers.fixture.ts';
import { checkClock } from './clock.ts';
import { checkHealth, checkReady, checkRefusal, checkUiSettings, type Door } from './door.ts';

const door = (by: Parameters<typeof answering>[0]): Door => ({ publicUrl: { origin: 'https://x.example', basePath: '/p' }, probe: answering(by) });
const refusal = answer(401, { detail: 'no', code: 'credential-missing' });
const toLogin = answer(302, '', { location: '/.lictor/login' });
/** As this gateway does: JSON for a program, the login page for a browser. */
const healthy = door(({ headers }) => (headers?.['accept'] === 'text/html' ? toLogin : refusal));

describe('the door', () => {
  it('answers its health, with a clock that agrees', async () => {
    expect(await checkHealth(door(answer(200, { status: 'ok' })))).toMatchObject([{ status: 'ok' }, { status: 'ok' }]);
    expect(await checkHealth(door(REFUSED))).toMatchObject([
      { status: 'fail', message: expect.stringContaining('https://x.example/p/.lictor/health cannot be reached: ECONNREFUSED') },
    ]);
    expect(await checkHealth(door(PAGE))).toMatchObject([{ status: 'fail', message: expect.stringContaining('not this gateway (by "balancer/1")') }]);
  });

  it('names what is not ready', async () => {
    expect(await checkReady(door(answer(200, { checks: { edge: 'ok', store: 'ok' } })))).toMatchObject({ status: 'ok' });
    expect(await checkReady(door(answer(503, { checks: { edge: 'ok', upstream: 'failed' } })))).toMatchObject({
      status: 'fail',
      message: expect.stringMatching(/: upstream$/),
    });
    expect(await checkReady(door(PAGE))).toMatchObject({ status: 'fail' });
    expect(await checkReady(door(REFUSED))).toMatchObject({ status: 'fail' });
  });

  it('refuses in JSON', async () => {
    expect(await checkRefusal(healthy)).toMatchObject([{ status: 'ok' }]);
  });

  it.each([
    ['a redirect to a login', answer(302, '', { location: 'https://sso.example/' }), 'login proxy'],
    ['a page with 401', answer(401, '<html>', { 'content-type': 'text/html' }), 'forward error answers unchanged'],
    ["another server's 401", answer(401, { detail: 'Unauthorized' }), 'requires a credential'],
    ['no refusal at all', answer(200, '3.9.1'), 'leads to Prefect and bypasses'],
    ['503 in our own words', answer(503, { code: 'gateway-unavailable', request_id: 'r1' }), 'control.log, say why'],
    ['404', answer(404, { detail: 'Not Found' }), 'the address in listen'],
    ['no answer', REFUSED, 'its port is open'],
  ])('names %s', async (_what, by, remedy) => {
    expect(await checkRefusal(door(by))).toMatchObject([{ status: 'fail', remedy: expect.stringContaining(remedy) }]);
  });

  it('names a page in place of the API, also where only browsers get it', async () => {
    const words = { status: 'fail', message: expect.stringContaining('a page where the API should be') };
    expect(await checkRefusal(door(PAGE))).toContainEqual(expect.objectContaining(words));
    expect(await checkRefusal(door(({ headers }) => (headers?.['accept'] === 'text/html' ? PAGE : refusal)))).toMatchObject([{ status: 'ok' }, words]);
  });

  it('gives the UI its own address', async () => {
    const settings = (api: unknown) => checkUiSettings(door(answer(200, { api_url: api })), {});
    expect(await settings('/p/api')).toMatchObject({ status: 'ok' });
    expect(await settings('https://x.example/p/api')).toMatchObject({ status: 'ok' });
    expect(await settings('http://prefect:4200/api')).toMatchObject({ status: 'fail', message: expect.stringContaining('http://prefect:4200/api') });
    expect(await settings(undefined)).toMatchObject({ status: 'fail' });
  });
});

describe('a clock', () => {
  const at = (offSeconds: number) => checkClock('Prefect', { headers: { date: new Date(AT_MS + offSeconds * 1000).toUTCString() }, atMs: AT_MS });
  it('may be 30 s off, either way, and no more', () => {
    expect(at(0)).toMatchObject({ status: 'ok' });
    expect(at(-30)).toMatchObject({ status: 'ok' });
    expect(at(31)).toMatchObject({ status: 'fail', message: expect.stringContaining('31 s ahead') });
    expect(at(-3600)).toMatchObject({ status: 'fail', message: expect.stringContaining('3600 s behind') });
  });

  it('without a Date header cannot be compared', () => {
    expect(checkClock('Prefect', { headers: {}, atMs: AT_MS })).toMatchObject({ status: 'warn' });
  });
});
