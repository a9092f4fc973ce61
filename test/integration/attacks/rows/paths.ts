// research rows PN: a path that is decided in one form and forwarded in another. All with an admin's token: no role helps.
import { describe, expect, it } from 'vitest';
import type { Http1, Transport } from '../../../env/transport.ts';
import { expectStatus } from '../harness.ts';
import { type Door, expectNothingThrough } from './door.ts';

export const NOT_CANONICAL: readonly (readonly [row: string, target: string])[] = [
  ['PN-01', '/api/health/../variables/filter'],
  ['PN-01', '/public/../admin/secrets'],
  ['PN-01', '/api/./admin/version'],
  ['PN-01', '/api/admin/version/..'],
  ['PN-01', '/api/%2e%2e/admin/version'],
  ['PN-01', '/api/.%2E/admin/version'],
  ['PN-01', '/public/..%2fadmin/version'],
  ['PN-01', '/..'],
  ['PN-02', '//api/admin/version'],
  ['PN-02', '/api//admin/version'],
  ['PN-03', '/api%2Fadmin%5Cdatabase'],
  ['PN-03', '/api/admin\\version'],
  ['PN-03', '/api/flows%2Ffilter'],
  ['PN-03', '/api/flows%2ffilter'],
  ['PN-03', '/api/a\\..\\admin/version'],
  ['PN-04', '/api/%252e%252e/admin'],
  ['PN-04', '/api/%25/admin'],
  ['PN-05', '/api/public/..;/admin/'],
  ['PN-05', '/api/admin;x=1/version'],
  ['PN-12', '/api/%C0%AF/version'],
  ['PN-12', '/api/%00/version'],
  ['PN-12', '/api/%zz/version'],
  ['PN-12', '/api/admin/version%'],
  ['PN-12', '/api/admin/version%4'],
  ['PN-12', '/api/admin/version%0a'],
  ['PN-12', '/api/admin/version%7F'],
  ['PN-12', '/api/admin/\xffversion'],
  ['PN-12', '/api/%FF%FE/version'],
  ['PN-12', '/api/%61dmin/version'],
  ['PN-12', '/api/work_pools/%c3%a4'],
  ['PN-12', '/api/work_pools/%ED%A0%80'],
  ['PN-12', '/api/admin/version#/../secret'],
];

const CANONICAL = [
  '/api/work_pools/a%20b',
  '/api/work_pools/a(b)',
  '/api/work_pools/%C3%A4',
  "/api/work_pools/it's",
  '/api/work_pools/a%40b',
  '/api/work_pools/a@b',
  "/api/work_pools/a%20b@c?x=%2F..;%00'&y=//",
];

/** Without a credential; nothing in path or query exempts from needing one. */
const NO_EXEMPTION: readonly (readonly [row: string, method: string, target: string])[] = [
  ['PN-06', 'GET', '/api/variables/name/system-health'],
  ['PN-06', 'GET', '/api/variables/name/ready'],
  ['PN-06', 'DELETE', '/api/variables/name/ready'],
  ['PN-06', 'DELETE', '/api/flows/ready'],
  ['PN-06', 'GET', '/api/health'],
  ['PN-06', 'GET', '/api/ready'],
  ['PN-07', 'GET', '/api/admin/settings?x=/api/health'],
  ['PN-07', 'GET', '/api/admin/settings?/.lictor/login'],
  ['PN-07', 'GET', '/ui-settings'],
  ['PN-07', 'POST', '/api/variables/filter?ready'],
  ['PN-07', 'GET', '/api/admin/version?_method=OPTIONS'],
  ['PN-07', 'GET', '/docs'],
  ['PN-07', 'GET', '/openapi.json'],
];

export function pathRows(find: () => Door, transport: Transport): void {
  const ask = (target: string, headers: readonly string[] = [find().admin], host?: string) =>
    transport.send(find().port, { target, headers, ...(host !== undefined && { host }) });

  it.each(NOT_CANONICAL)('%s: %s is 400 and goes nowhere', async (_row, target) => {
    const answer = await ask(target);
    expectStatus(answer, 400, target);
    expectNothingThrough(find());
  });

  it.each(['/api/admin/version\0', '/api/admin/\0/version', '/api/admin/ version', '/api/admin\tversion'])(
    'PN-12: %j, raw, is 400 or breaks the connection',
    async (target) => {
      const answer = await ask(target);
      expect([[], [400]], answer.text).toContainEqual(answer.statuses);
      expectNothingThrough(find());
    },
  );

  it('PN-01: the refusal is JSON with code path-not-canonical', async () => {
    expect((await ask('/api//x', [])).text).toContain('"code":"path-not-canonical"');
  });

  it('PN-01 twin: reserved characters, raw or encoded, and valid UTF-8 pass byte for byte', async () => {
    for (const target of CANONICAL) expectStatus(await ask(target), 200, target);
    expect(
      find()
        .seen()
        .map(({ target }) => target),
    ).toEqual(CANONICAL);
  });

  it.each(NO_EXEMPTION)('%s: %s %s without a credential is 401', async (_row, method, target) => {
    const answer = await transport.send(find().port, { method, target });
    expectStatus(answer, 401, target);
    expect(answer.text).toContain('"code":"credential-missing"');
    expectNothingThrough(find());
  });

  describe('PN-09: the host name', () => {
    const PATH = '/api/work_pools/p';

    it.each(['LOCALHOST', 'localhost', 'LocalHost'])('PN-09: %s gives the verdict of its lower-case form', async (name) => {
      const host = `${name}:${find().port}`;
      expectStatus(await ask(PATH, [find().admin], host), 200, name);
      expectStatus(await ask(PATH, [], host), 401, name);
    });

    it('PN-09: a trailing dot is the same host or none of ours, never a way round', async () => {
      expect([400, 401]).toContain((await ask(PATH, [], `localhost.:${find().port}`)).statuses[0]);
      expectNothingThrough(find());
    });

    it.each(['evil.example', 'ephemeral-prefect', 'localhost.evil.example', '[::2]'])('PN-09: the foreign host %s is 400', async (name) => {
      expectStatus(await ask(PATH, [find().admin], name), 400, name);
      expectNothingThrough(find());
    });

    it('PN-09: an absolute target counts, not the host beside it', async () => {
      expectStatus(await ask(`http://evil.example${PATH}`), 400, 'absolute form');
      expectNothingThrough(find());
    });

    it.each([
      ['GET', '*'],
      ['OPTIONS', '*'],
      ['CONNECT', `localhost:443`],
      ['TRACE', PATH],
    ])('PN-11: %s %s goes nowhere', async (method, target) => {
      const answer = await transport.send(find().port, { method, target, headers: [find().admin] });
      expect(
        answer.statuses.filter((status) => status < 400),
        answer.text,
      ).toEqual([]);
      expectNothingThrough(find());
    });

    it('PN-11: a lower-case method is 400', async () => {
      expectStatus(await transport.send(find().port, { method: 'get', target: PATH, headers: [find().admin] }), 400, 'get');
      expectNothingThrough(find());
    });
  });
}

/** What only HTTP/1.1 can say. */
export function oldRequestRows(find: () => Door, transport: Http1): void {
  it('PN-11: HTTP/0.9 is closed or 400', async () => {
    const answer = await transport.raw(find().port, 'GET /api/work_pools/p\r\n');
    expect(answer.closed).toBe(true);
    expect(answer.text.startsWith('HTTP/1.1 400') || answer.text === '' || answer.text.includes('"code"') || answer.text.includes('400 Bad Request')).toBe(
      true,
    );
    expectNothingThrough(find());
  });

  it.each([
    ['no Host', []],
    ['two Hosts', ['Host: localhost', 'Host: evil.example']],
  ])('PN-11: %s is 400', async (what, hosts) => {
    const lines = ['GET /api/work_pools/p HTTP/1.1', ...hosts, find().admin, 'Connection: close', '', ''];
    expectStatus(await transport.raw(find().port, lines.join('\r\n')), 400, what);
    expectNothingThrough(find());
  });
}
