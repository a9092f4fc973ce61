// Work on drafts in real threads: the same answers as the command line, a limit, and an end when nobody waits any more.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../../cli/main.ts';
import type { StatePaths } from '../../../config/state-dir.ts';
import { systemClock } from '../../../contract/clock.ts';
import { collectActions } from '../../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../../prefect/catalog/catalogue.ts';
import { appendRecord } from '../../../record/ledger/append-record.ts';
import { tempState } from '../../../record/ledger/lines.fixture.ts';
import { openStore } from '../../../store/store.ts';
import { createDrafts, type Drafts } from './drafts.ts';
import type { SimulationStep } from './protocol.ts';

const DENIES_ONE = '@id("not-them") forbid (principal == Principal::"token:etl", action == Action::"flows.read", resource);\n';
let paths: StatePaths;
let remove: () => void;
const RUN = '0199c0de-0000-7000-8000-000000000001';
const SAMPLE = { time: expect.stringContaining('T'), resource_id: null, status: 200 };

let drafts: Drafts;
beforeEach(() => {
  ({ paths, remove } = tempState());
  drafts = draftsOf();
});
afterEach(async () => {
  await drafts.close();
  remove();
});

function draftsOf(atMostMs?: number): Drafts {
  return createDrafts({
    actions: collectActions(OPERATIONS),
    storeAt: paths.storeFile,
    ledgerFile: paths.ledgerFile,
    ...(atMostMs !== undefined && { atMostMs }),
  });
}

/** 37 requests of one token, and others of another. */
async function recordedDay(): Promise<void> {
  const store = await openStore({ at: paths.storeFile, clock: systemClock });
  for (const [id, name] of ['etl', 'web'].entries())
    await store.tokens.create({ id: `${id}`.repeat(16), name, roles: ['viewer'], scope: null, cidrs: [], lifetimeMs: null, hash: id === 0 ? 'a' : 'b' });
  await store.close();
  const start = systemClock() - 3_600_000;
  const asked = {
    action: 'flows.read',
    resource_type: 'Flow',
    decision: 'allow',
    reason: 'policy-permits',
    revision: 0,
    path_taken: 'direct',
    status: 200,
  } as const;
  for (let n = 0; n < 60; n += 1)
    appendRecord(paths, {
      time: new Date(start + n).toISOString(),
      request_id: `request-${n}`,
      principal: n < 37 ? 'token:etl' : 'token:web',
      flow_run_id: n === 0 ? RUN : null,
      ...asked,
    });
}

async function simulated(files: Readonly<Record<string, string>>): Promise<readonly SimulationStep[]> {
  const nowMs = systemClock();
  const config = { identityProviders: [], roles: [], agents: [] };
  const steps: SimulationStep[] = [];
  for await (const step of drafts.simulate({ files, nowMs, since: new Date(nowMs - 86_400_000).toISOString(), config })) steps.push(step);
  return steps;
}

async function lictorSimulate(text: string): Promise<unknown> {
  const next = join(paths.root, 'next');
  mkdirSync(next);
  writeFileSync(join(next, 'own.cedar'), text);
  writeFileSync(join(paths.root, 'lictor.yaml'), 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n');
  const out = new PassThrough();
  let said = '';
  out.on('data', (chunk) => {
    said += String(chunk);
  });
  await main({ args: ['--state-dir', paths.root, 'simulate', next, '--since', '24h', '--json'], out, err: new PassThrough(), env: {}, cwd: paths.root });
  return JSON.parse(said);
}

describe('a draft that denies 37 requests of a recorded day', () => {
  it('names the same 37 as `lictor simulate`', async () => {
    await recordedDay();
    const steps = await simulated({ 'own.cedar': DENIES_ONE });
    const last = steps.at(-1);
    expect(steps.map(({ type }) => type)).toEqual(['started', 'simulated']);
    if (last?.type !== 'simulated') throw new Error('no result');
    const { since: _, ...same } = last.simulation;
    expect(await lictorSimulate(DENIES_ONE)).toMatchObject(same);
    expect(same.ledger_from).toBe(same.changes[0]?.samples[0]?.time);
    const requests = Array.from({ length: 37 }, (_none, n) => `request-${n}`);
    expect(same.changes).toEqual([
      {
        ...{
          change: 'now-denied',
          principal: 'token:etl',
          action: 'flows.read',
          resource_type: 'Flow',
          policies: ['not-them'],
          right: null,
          count: 37,
          requests,
        },
        samples: requests.slice(0, 20).map((request_id, n) => ({ ...SAMPLE, request_id, flow_run_id: n === 0 ? RUN : null })),
        roles: ['viewer'],
      },
    ]);
  });
});

describe('work on a draft', () => {
  it('finds its problems and its difference, and refuses to simulate it while it is broken', async () => {
    const broken = { 'own.cedar': 'forbid (principal action, resource);' };
    const checked = await drafts.check({ files: broken, from: { label: 'revision 3', files: {} } });
    expect([checked.problems, checked.patches]).toMatchObject([[{ file: 'own.cedar', line: 1, column: 19 }], [{ name: 'own.cedar', change: 'added' }]]);
    expect(await simulated(broken)).toMatchObject([{ type: 'invalid', checked: { problems: [{ line: 1 }] } }]);
  });

  it('runs one simulation at a time, and is free again when its reader has gone', async () => {
    await recordedDay();
    const question = { files: {}, nowMs: systemClock(), since: '', config: { identityProviders: [], roles: [], agents: [] } };
    const first = drafts.simulate(question);
    await first.next();
    await expect(drafts.simulate(question).next()).rejects.toMatchObject({ code: 'draft-busy' });
    await first.return();
    expect((await drafts.simulate(question).next()).value).toEqual({ type: 'started' });
  });

  it('ends in time', async () => {
    await expect(draftsOf(1).check({ files: {}, from: { label: '', files: {} } })).rejects.toMatchObject({ code: 'draft-too-long' });
  });
});
