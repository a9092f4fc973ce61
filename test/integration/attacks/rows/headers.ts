// research rows HD: what a client writes into headers is neither believed nor passed on.
import { expect, it } from 'vitest';
import { INPUT } from '../../../../src/contract/names.ts';
import type { Transport } from '../../../env/transport.ts';
import { expectStatus } from '../harness.ts';
import { type Door, expectNothingThrough } from './door.ts';

const PATH = '/api/work_pools/p';

/** Every header by which nginx passes data to the control plane, sent by a client. */
const AS_IF_NGINX = Object.values(INPUT).map((name) => `${name}: forged`);

/** Without a credential. */
const NO_WAY_ROUND: readonly (readonly [row: string, headers: readonly string[]])[] = [
  ['HD-01', ['X-Forwarded-Uri: /api/health']],
  ['HD-01', ['X-Original-URI: /api/health']],
  ['HD-01', ['X-Original-URL: /.lictor/login']],
  ['HD-01', ['X-Rewrite-URL: /.lictor/health']],
  ['HD-01', ['X-Forwarded-Method: OPTIONS', 'X-Forwarded-Host: localhost']],
  ['HD-02', ['User-Agent: GoogleHC/1.0']],
  ['HD-02', ['User-Agent: kube-probe/1.30']],
  ['HD-03', ['X-Forwarded-User: alice', 'Remote-User: alice', 'X-Auth-Request-User: alice']],
  ['HD-03', ['X-Prefect-User: root', 'X-Auth-Request-Groups: admin']],
  ['HD-03', ['X-Lictor-In-Authorization: Bearer x', 'X-Lictor-Path: direct']],
  ['HD-03', AS_IF_NGINX],
];

export const FORGED = [
  'X-Forwarded-User: root',
  'X-Forwarded-Email: root@example.com',
  'X-Forwarded-Groups: admin',
  'X-Forwarded-For: 127.0.0.1',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Prefix: /evil',
  'X-Real-IP: 127.0.0.1',
  'Forwarded: for=127.0.0.1;host=evil.example',
  'X-Auth-Request-User: root',
  'X-Auth-Request-Email: root@example.com',
  'X-Auth-Request-Groups: root',
  'X-Auth-Request-Access-Token: forged',
  'Remote-User: root',
  'Remote-Groups: root',
  'X-Prefect-User: root',
  'X-Prefect-Claims: root',
  'X-Lictor-Principal: root',
  'X-Lictor-Assertion: forged',
  ...AS_IF_NGINX,
  'Prefect-Automation-Id: forged',
  'X-Upstream-Authorization: Basic Zm9yZ2Vk',
  'Proxy-Authorization: Basic Zm9yZ2Vk',
  'X-HTTP-Method-Override: DELETE',
  'X-Request-Id: forged',
  'Cookie: other=forged',
];
const FORGED_VALUE = /root|forged|Zm9yZ2Vk|evil|127\.0\.0\.1|DELETE/;
/** What the gateway itself may say upstream about where a request came from. */
const OWN = new Set(['host', 'connection', 'x-forwarded-proto', 'x-forwarded-for', 'x-forwarded-host']);

/** Those of `FORGED` that reached the upstream. */
export function forgedUpstream(door: Door): string[] {
  return door
    .seen()
    .flatMap(({ headers }) => Object.entries(headers))
    .filter(([name, value]) => FORGED_VALUE.test(value) && !OWN.has(name))
    .map(([name, value]) => `${name}: ${value}`);
}

export function headerRows(find: () => Door, transport: Transport): void {
  const ask = (headers: readonly string[], target = PATH) => transport.send(find().port, { target, headers });

  it.each(NO_WAY_ROUND)('%s: a protected path with %j is 401', async (_row, headers) => {
    const answer = await ask(headers);
    expectStatus(answer, 401, headers.join());
    expect(answer.text).toContain('"code":"credential-missing"');
    expectNothingThrough(find());
  });

  it('HD-01 twin: the same headers take nothing from a client with a credential', async () => {
    for (const [, headers] of NO_WAY_ROUND) expectStatus(await ask([find().viewer, ...headers]), 200, headers.join());
    expect(find().seen()).toHaveLength(NO_WAY_ROUND.length);
  });

  it("HD-03, HD-08: a client's identity headers never reach the upstream on the direct path", async () => {
    expectStatus(await ask([find().admin, ...FORGED]), 200, 'direct');
    expect(find().seen()).toHaveLength(1);
    expect(forgedUpstream(find())).toEqual([]);
  });

  it('HD-03: refusals, OPTIONS and own pages reach nobody', async () => {
    await ask(FORGED);
    await ask([find().admin, ...FORGED], '/.lictor/health');
    await transport.send(find().port, { method: 'OPTIONS', target: PATH, headers: [find().admin, ...FORGED] });
    expectNothingThrough(find());
  });

  it('HD-08: the upstream credential is ours alone', async () => {
    await ask([find().admin, ...FORGED]);
    expect(
      find()
        .seen()
        .map(({ headers }) => headers['authorization']),
    ).toEqual([find().upstreamCredential]);
    expect(JSON.stringify(find().seen())).not.toContain(find().admin.replace('Authorization: ', ''));
  });

  it('HD-08: a second Authorization is 400', async () => {
    expectStatus(await ask([find().viewer, find().admin]), 400, 'two Authorization');
    expectNothingThrough(find());
  });

  it('HD-03: Connection cannot nominate away a header that the gateway sets', async () => {
    await ask([find().admin, 'Connection: close, Authorization, Host']);
    for (const { headers } of find().seen()) expect(headers['authorization']).toBe(find().upstreamCredential);
  });

  it('HD-05: underscores are dropped or 400', async () => {
    const token = find().admin.replace('Authorization: Bearer ', '');
    for (const line of [`X_Lictor_Token: ${token}`, `X-Lictor_Token: ${token}`, 'X_Forwarded_User: root']) {
      expect([400, 401], line).toContain((await ask([line])).statuses[0]);
    }
    expectNothingThrough(find());
  });

  it('HD-05: beside a credential, they are not passed on', async () => {
    const answer = await ask([find().admin, 'X_Forwarded_User: root', 'X-Forwarded_Email: root@example.com', 'Remote_User: root']);
    expect([200, 400]).toContain(answer.statuses[0]);
    expect(JSON.stringify(find().seen())).not.toContain('root');
  });

  it('HD-05 twin: the header with its right name is a credential', async () => {
    expectStatus(await ask([`X-Lictor-Token: ${find().admin.replace('Authorization: Bearer ', '')}`]), 200, 'X-Lictor-Token');
  });

  it('HD-09: a method override is not passed on', async () => {
    await ask([find().admin, 'X-HTTP-Method-Override: DELETE', 'X-Method-Override: DELETE'], `${PATH}?_method=DELETE`);
    const [seen] = find().seen();
    expect(seen?.method).toBe('GET');
    expect(Object.keys(seen?.headers ?? {}).filter((name) => name.includes('override'))).toEqual([]);
  });

  it('HD-09: nobody writes by overriding', async () => {
    await ask([find().viewer, 'X-HTTP-Method-Override: DELETE']);
    expect(
      find()
        .seen()
        .map(({ method }) => method),
    ).toEqual(['GET']);
  });
}
