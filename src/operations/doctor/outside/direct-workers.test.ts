import { describe, expect, it } from 'vitest';
import { answer, answering, REFUSED } from './answers.fixture.ts';
import type { SeenAtGateway } from './compare-workers.ts';
import { checkDirectWorkers } from './direct-workers.ts';

const channel = (name: string) => ({ pool: 'p', name, principal: 'token:etl', heardMs: 0, sinceMs: 0 });
const here = (...names: readonly string[]): SeenAtGateway => ({ channels: names.map(channel), heartbeats: [] });

describe('the line of the doctor', () => {
  const prefect = answering(({ url, headers }) => {
    if (url.startsWith('http://away:4200/')) return REFUSED;
    if (headers?.['authorization'] !== `Basic ${Buffer.from('gw:secret').toString('base64')}`) return answer(401, {});
    if (url === 'http://prefect:4200/api/work_pools/filter') return answer(200, [{ name: 'p' }, { name: 'empty' }]);
    return answer(200, url.endsWith('/p/workers/filter') ? [{ name: 'a' }, { name: 'b' }] : []);
  });
  const line = (seen: SeenAtGateway | undefined, probe = prefect) =>
    checkDirectWorkers(
      ['http://away:4200', 'http://prefect:4200'].map((url) => ({
        url,
        authorization: 'Basic Z3c6c2VjcmV0',
        tls: { ca: [], allowPartialTrustChain: false, checkServerIdentity: () => undefined },
        probe,
      })),
      async () => seen,
      'https://x.example/api',
    );

  it('names them, and what to do', async () => {
    expect(await line(here('a'))).toMatchObject([
      { status: 'warn', message: expect.stringContaining('1 of 2 workers'), remedy: expect.stringContaining('PREFECT_API_URL=https://x.example/api') },
    ]);
    const [found] = await line(here('a'));
    expect(found?.message).toMatch(/: "b" of pool "p"$/);
  });

  it('names one whose heartbeats also come past the gateway', async () => {
    const twice = answering(({ url }) =>
      answer(200, url.endsWith('/workers/filter') ? [{ name: 'a', last_heartbeat_time: '2026-03-01T12:00:00Z' }] : [{ name: 'p' }]),
    );
    const heardAt = (time: string): SeenAtGateway => ({ channels: [{ ...channel('a'), heardMs: Date.parse(time) }], heartbeats: [] });
    expect(await line(heardAt('2026-03-01T11:59:00Z'), twice)).toMatchObject([{ status: 'warn' }]);
    expect(await line(heardAt('2026-03-01T12:00:00Z'), twice)).toMatchObject([{ status: 'ok' }]);
  });

  it("names one that uses the gateway with Prefect's auth string, beside one that is direct, and no worker with a token", async () => {
    const byPassword: SeenAtGateway = { channels: [{ ...channel('a'), principal: 'shared-password:10.0.0.7' }, channel('b')], heartbeats: [] };
    const found = { status: 'warn', message: expect.stringMatching(/1 of 2 workers use the gateway with Prefect's auth string.*: "a" of pool "p"$/) };
    expect(await line(byPassword)).toMatchObject([{ ...found, remedy: expect.stringContaining('a token') }]);
    expect(await line({ ...byPassword, channels: byPassword.channels.slice(0, 1) })).toMatchObject([{ message: expect.stringContaining('bypass') }, found]);
  });

  it('is ok when all use the gateway, and absent when there are none, or Prefect or the gateway is away', async () => {
    expect(await line(undefined)).toEqual([]);
    expect(await line(here('a', 'b'))).toMatchObject([{ status: 'ok' }]);
    expect(await line(here(), answering(answer(200, [])))).toEqual([]);
    expect(await line(here(), answering(REFUSED))).toMatchObject([{ status: 'warn', message: expect.stringContaining('was not reached') }]);
  });
});
