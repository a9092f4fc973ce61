// A change of own policies keeps the deciding thread free: a thread checks them, and the engine is built in steps with rests between.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NO_POLICIES, type OwnPolicies } from '../authorization/policy/own/check.ts';
import { loadCandidate } from '../config/in-use.ts';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { prepareStateDir, removeRuntimeDir } from '../config/runtime-dir.ts';
import type { StatePaths } from '../config/state-dir.ts';
import type { FromControl } from '../contract/ipc.ts';
import { collectActions } from '../prefect/catalog/actions.ts';
import { createCatalogue } from '../prefect/catalog/catalogue.ts';
import { storedPolicies, storeLoadedSet } from './active-policies.ts';
import { createReloader, type ReloaderParts } from './reload.ts';

let directory: string;
let paths: StatePaths;
let threads: (string | null)[];
let looksAtClock: number;
let said: FromControl[];
const seen = (thread: Worker): void => void threads.push(thread.threadName);

beforeEach(() => {
  directory = makeMemoryDir('lictor-active-policies-');
  paths = prepareStateDir(join(directory, 'state'));
  [threads, looksAtClock, said] = [[], 0, []];
  process.on('worker', seen);
});
afterEach(() => {
  process.off('worker', seen);
  removeRuntimeDir(paths);
  rmSync(directory, { recursive: true });
});

/** The file names a directory with this one policy. Whatever a reloader needs beyond the policies is not there, and throws. */
function reloaderOf(policy: string, inUse: OwnPolicies = NO_POLICIES, policySets: object = {}) {
  const configFile = join(directory, 'lictor.yaml');
  writeFileSync(configFile, `public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:1 }\npolicies: ${directory}\n`);
  writeFileSync(join(directory, 'own.cedar'), policy);
  const candidate = loadCandidate({ file: configFile, env: {}, paths });
  if (!candidate.loaded.ok) throw new Error(JSON.stringify(candidate.loaded.problems));
  const { config } = candidate.loaded;
  const steady = (): number => {
    looksAtClock += 1;
    // Time passes only here, so that the number of steps does not depend on the machine.
    return looksAtClock * 20;
  };
  const shared = {
    paths,
    clock: Date.now,
    steady,
    log: pino({ enabled: false }),
    catalogue: createCatalogue(),
    ledger: { healthy: () => true, append: async () => undefined },
    membership: null,
    store: { revisions: { publish: async () => 8 }, policySets },
  };
  const current = { get: () => ({ config, policies: inUse, revision: 7 }) };
  return createReloader({ shared, current, configFile, env: {}, send: (message: FromControl) => void said.push(message) } as unknown as ReloaderParts);
}

const SOUND = '@id("a") @description("d") permit (principal, action == Action::"flows.read", resource);\n';
const SOUND_FILES = { 'own.cedar': SOUND };
const REQUEST = { by: 'local:root', onBehalfOf: [], why: 'a test' };

describe('a change of own policies', () => {
  it('by a reload is checked by a thread', async () => {
    await reloaderOf('permit').reload();
    expect(said).toMatchObject([{ text: expect.stringContaining('own.cedar') }]);
    expect(threads).toEqual(['policies']);
  });

  it('by `lictor policy apply` is checked by a thread', async () => {
    expect(await reloaderOf('permit').applyPolicies(REQUEST)).toMatchObject({ applied: false, why: expect.stringContaining('own.cedar') });
    expect(await reloaderOf(SOUND, { texts: {}, files: { 'own.cedar': SOUND } } as never).applyPolicies(REQUEST)).toMatchObject({
      applied: true,
      from: 7,
      to: 7,
    });
    expect(threads).toEqual(['policies', 'policies']);
  });

  it('is built in steps of a separate queue: clients with large bodies cannot delay it', async () => {
    await expect(reloaderOf(SOUND).applyPolicies(REQUEST)).rejects.toThrow();
    expect(looksAtClock).toBeGreaterThan(5);
  });
});

describe('policies of another node', () => {
  const set = (text: string) => ({ revision: 8, files: { 'own.cedar': text }, by: 'local:root', why: '', createdMs: 1 });

  it('that the store does not give are asked for again, and a set that cannot be used is compared once', async () => {
    let asked = 0;
    const latest = async () => {
      asked += 1;
      if (asked === 1) throw new Error('the store is away');
      return set('permit');
    };
    const { adoptPolicies } = reloaderOf(SOUND, NO_POLICIES, { heads: async () => [set('')], latest });
    await expect(adoptPolicies()).rejects.toThrow('the store is away');
    await expect(adoptPolicies()).rejects.toMatchObject({ code: 'policies-invalid' });
    await adoptPolicies();
    expect(asked).toBe(2);
  });

  it('are tried again when the runtime cannot be built', async () => {
    const { adoptPolicies } = reloaderOf(SOUND, NO_POLICIES, { heads: async () => [set('')], latest: async () => set(SOUND) });
    for (let tries = 0; tries < 2; tries += 1) await expect(adoptPolicies()).rejects.toThrow();
  });

  it.each([
    [true, SOUND_FILES],
    [false, {}],
  ])('are in force without a directory in the configuration, if there are several nodes: %s', async (several, files) => {
    const policySets = { latest: async () => set(SOUND) } as never;
    const actions = collectActions(createCatalogue().operations);
    const { policies } = await storedPolicies({ actions, config: { policies: null } as never, policySets, several });
    expect(policies.files).toEqual(files);
  });

  it.each([
    ['stays as it is at a start or a reload of one of several nodes', {}, set('a newer one'), []],
    ['twin: is added when there is none', {}, undefined, [SOUND_FILES]],
    ['twin: is replaced by the files of the only node', null, set('an older one'), [SOUND_FILES]],
  ])('a stored set %s', async (_, membership, stored, expected) => {
    const put: unknown[] = [];
    const policySets = { latest: async () => stored, put: async ({ files }: { readonly files: object }) => void put.push(files) };
    await storeLoadedSet({ store: { policySets }, membership } as never, { policies: { files: SOUND_FILES }, revision: 9 } as never);
    expect(put).toEqual(expected);
  });
});
