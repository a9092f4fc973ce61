import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../../../config/memory-dir.fixture.ts';
import { orphanedRuns } from '../../../store/orphaned-runs.ts';
import { openStore, type Store } from '../../../store/store.ts';
import { answer, answering, REFUSED } from './answers.fixture.ts';
import { checkLostRuns } from './lost-runs.ts';

const NOW_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const [LOST, REVOKED, FINE, DONE, WAITS] = ['1', '2', '3', '4', '5'].map((digit) => `0199c0de-0000-7000-8000-00000000000${digit}`);
let root = '';
let storeAt = '';
let store: Store;
beforeEach(async () => {
  root = makeMemoryDir('lictor-lost-');
  storeAt = join(root, 'lictor.db');
  store = await openStore({ at: storeAt, clock: () => NOW_MS });
  for (const [id, lifetimeMs] of [
    ['short', HOUR_MS],
    ['long', null],
    ['gone', null],
  ] as const)
    await store.tokens.create({ id, name: id, roles: ['worker'], cidrs: [], lifetimeMs, hash: id });
  for (const [run, token] of [
    [LOST, 'short'],
    [REVOKED, 'gone'],
    [FINE, 'long'],
    [DONE, 'short'],
  ] as const)
    await begin(run ?? '', token);
  await store.runTokens.put([tokenOf(WAITS ?? '', 'short')]);
  await store.runTokens.endOf(DONE ?? '', NOW_MS);
  await store.tokens.revoke('gone');
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true });
});

function tokenOf(run: string, token: string) {
  const of = { flowRunId: run, deploymentId: null, pool: 'p', stateId: 's', worker: `token:${token}`, binding: `token ${token}`, credentialId: token };
  return { ...of, hash: `h${run}`, id: `i${run}`, identity: null, onBehalfOf: [], expiresMs: NOW_MS + 24 * HOUR_MS };
}

async function begin(run: string, token: string): Promise<void> {
  const made = tokenOf(run, token);
  await store.runTokens.put([made]);
  await store.runTokens.goLive(made);
}

const runs = async (nowMs: number) => (await orphanedRuns(storeAt, [], nowMs)).map(({ id }) => id).sort();

describe('runs whose worker has no token any more', () => {
  it('are those of a token that was revoked, and of one that has expired', async () => {
    expect(await runs(NOW_MS)).toEqual([REVOKED]);
    expect(await runs(NOW_MS + HOUR_MS + 1)).toEqual([LOST, REVOKED]);
  });

  it('are not lost where the token got another secret', async () => {
    await store.tokens.rotate({ id: 'short', hash: 'new', overlapMs: 0 });
    expect(await runs(NOW_MS)).toEqual([REVOKED]);
  });

  it('are none where the store cannot be read', async () => {
    writeFileSync(join(root, 'x.db'), 'no database');
    expect(await orphanedRuns(join(root, 'x.db'), [], NOW_MS)).toEqual([]);
    expect(await orphanedRuns(join(root, 'none.db'), [], NOW_MS)).toEqual([]);
  });
});

describe('the line of the doctor', () => {
  const line = (underWay: unknown, orphaned = [{ id: LOST ?? '', worker: 'token:short' }]) => {
    const probe = answering(({ url, body }) => {
      if (url.startsWith('http://away:4200/')) return REFUSED;
      expect(JSON.parse(body ?? '')).toMatchObject({ flow_runs: { id: { any_: [LOST] }, state: { type: { any_: ['PENDING', 'RUNNING', 'CANCELLING'] } } } });
      return answer(200, underWay);
    });
    const tls = { ca: [], allowPartialTrustChain: false, checkServerIdentity: () => undefined };
    const servers = ['http://away:4200', 'http://prefect:4200'].map((url) => ({ url, authorization: null, tls, probe }));
    return checkLostRuns(servers, orphaned);
  };

  it('names those that Prefect shows as under way, and their worker', async () => {
    expect(await line([{ id: LOST, name: 'x', tags: [] }])).toMatchObject([{ status: 'warn', message: expect.stringContaining(`${LOST} of token:short`) }]);
  });

  it('is ok where they have ended, and where there are none', async () => {
    expect(await line([])).toMatchObject([{ status: 'ok' }]);
    expect(await line([], [])).toMatchObject([{ status: 'ok' }]);
  });

  it('says that it could not be checked where Prefect gives no list', async () => {
    expect(await line({ detail: 'no' })).toMatchObject([{ status: 'warn', message: expect.stringContaining('lost runs') }]);
  });
});
