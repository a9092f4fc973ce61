import { describe, expect, it } from 'vitest';
import { COLUMNS, recordOfRow } from '../../../record/ledger/columns.ts';
import { answer, answering, REFUSED } from './answers.fixture.ts';
import { checkDirectWorkers, directWorkers, type WorkerRecords } from './direct-workers.ts';

const NOTHING = Object.fromEntries(Object.keys(COLUMNS).map((name) => [name, null]));
const record = (fields: Record<string, string>) => recordOfRow({ ...NOTHING, principal: 'token:etl', source_ip: '10.0.0.20', ...fields });
const hello = (pool: string, name: string, by: Record<string, string> = {}) =>
  record({ action: 'worker.connect', path: `/api/work_pools/${pool}/workers/connect`, resource_type: 'Worker', resource_id: name, ...by });
const poll = (pool: string, by: Record<string, string> = {}) =>
  record({ action: 'worker.poll', path: `/api/work_pools/${pool}/get_scheduled_flow_runs`, ...by });
const heartbeat = (pool: string) => record({ action: 'worker.heartbeat', path: `/api/work_pools/${pool}/workers/heartbeat` });

const [A, B] = [
  { pool: 'p', name: 'a' },
  { pool: 'p', name: 'b' },
];

describe('workers that bypass the gateway', () => {
  it('are those that never announced their name here', () => {
    expect(directWorkers([A, B], { connects: [hello('p', 'a')], recent: [poll('p')] })).toEqual([B]);
    expect(directWorkers([A, B], { connects: [hello('p', 'a'), hello('p', 'b')], recent: [poll('p')] })).toEqual([]);
    expect(directWorkers([A], { connects: [], recent: [] })).toEqual([A]);
  });

  it('are those that were here once and poll elsewhere now', () => {
    expect(directWorkers([A], { connects: [hello('p', 'a')], recent: [] })).toEqual([A]);
    expect(directWorkers([A], { connects: [hello('p', 'a')], recent: [poll('p', { source_ip: '10.0.0.21' })] })).toEqual([A]);
    expect(directWorkers([A], { connects: [hello('p', 'a')], recent: [poll('p', { principal: 'token:other' })] })).toEqual([A]);
  });

  it('are not mixed up with those of another pool, nor with the record of the socket itself', () => {
    expect(directWorkers([A], { connects: [hello('q', 'a')], recent: [poll('p'), poll('q')] })).toEqual([A]);
    expect(directWorkers([A], { connects: [hello('p', 'a', { resource_type: 'WorkPool' })], recent: [poll('p')] })).toEqual([A]);
    expect(directWorkers([{ pool: 'a b', name: 'a' }], { connects: [hello('a%20b', 'a')], recent: [poll('a%20b')] })).toEqual([]);
  });

  it('are none where older workers without a channel report', () => {
    expect(directWorkers([A], { connects: [], recent: [heartbeat('p')] })).toEqual([]);
    expect(directWorkers([A], { connects: [], recent: [heartbeat('q')] })).toEqual([A]);
  });
});

describe('the line of the doctor', () => {
  const prefect = answering(({ url, headers }) => {
    if (url.startsWith('http://away:4200/')) return REFUSED;
    if (headers?.['authorization'] !== `Basic ${Buffer.from('gw:secret').toString('base64')}`) return answer(401, {});
    if (url === 'http://prefect:4200/api/work_pools/filter') return answer(200, [{ name: 'p' }, { name: 'empty' }]);
    return answer(200, url.endsWith('/p/workers/filter') ? [{ name: 'a' }, { name: 'b' }] : []);
  });
  const line = (records: WorkerRecords, probe = prefect) =>
    checkDirectWorkers(
      ['http://away:4200', 'http://prefect:4200'].map((url) => ({
        url,
        authorization: 'Basic Z3c6c2VjcmV0',
        tls: { ca: [], allowPartialTrustChain: false, checkServerIdentity: () => undefined },
        probe,
      })),
      async () => records,
      'https://x.example/api',
    );

  it('names them, and what to do', async () => {
    expect(await line({ connects: [hello('p', 'a')], recent: [poll('p')] })).toMatchObject([
      { status: 'warn', message: expect.stringContaining('1 of 2 workers'), remedy: expect.stringContaining('PREFECT_API_URL=https://x.example/api') },
    ]);
    const [found] = await line({ connects: [hello('p', 'a')], recent: [poll('p')] });
    expect(found?.message).toMatch(/: "b" of pool "p"$/);
  });

  it('is ok when all use the gateway, and absent when there are none or Prefect is away', async () => {
    expect(await line({ connects: [hello('p', 'a'), hello('p', 'b')], recent: [poll('p')] })).toMatchObject([{ status: 'ok' }]);
    expect(await line({ connects: [], recent: [] }, answering(answer(200, [])))).toEqual([]);
    expect(await line({ connects: [], recent: [] }, answering(REFUSED))).toMatchObject([
      { status: 'warn', message: expect.stringContaining('was not reached') },
    ]);
  });
});
