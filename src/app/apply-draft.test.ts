// A set of the console comes into force as a whole, on the base that its author saw, and as files; or nothing changes.
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseEdgeInputs } from '../authorization/decide/inputs.ts';
import { NO_POLICIES } from '../authorization/policy/own/check.ts';
import { loadCandidate } from '../config/in-use.ts';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { prepareStateDir, removeRuntimeDir } from '../config/runtime-dir.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { steadyClock, systemClock } from '../contract/clock.ts';
import { INPUT } from '../contract/names.ts';
import { joinSockets } from '../contract/open-socket.ts';
import type { DraftRequest, PolicyChange } from '../contract/policy-outcome.ts';
import { createTokenId, createTokenText, hashToken } from '../identity/authn/service-token/token-text.ts';
import { applyDraft } from './apply-draft.ts';
import { type CurrentRuntime, createCurrentRuntime } from './current-runtime.ts';
import { openProcessServices, type ProcessServices } from './process-services.ts';
import { buildRuntime } from './runtime.ts';

const FORBID = '@id("not-them") forbid (principal == Principal::"token:reviewer", action == Action::"access.read", resource);\n';
const token = createTokenText(createTokenId());
let directory: string;
let policies: string;
let paths: StatePaths;
let shared: ProcessServices;
let current: CurrentRuntime;
let changes: PolicyChange[];

beforeAll(async () => {
  directory = makeMemoryDir('lictor-apply-draft-');
  policies = join(directory, 'policies');
  paths = prepareStateDir(join(directory, 'state'));
  const configFile = join(directory, 'lictor.yaml');
  mkdirSync(policies, { mode: 0o755 });
  writeFileSync(configFile, `public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:1 }\npolicies: ${policies}\n`);
  const { loaded } = loadCandidate({ file: configFile, env: {}, paths });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const never = () => Promise.reject(new Error('not here'));
  const parts = { paths, clock: systemClock, steady: steadyClock, log: pino({ enabled: false }), onReopen: () => undefined };
  shared = await openProcessServices({
    ...parts,
    sync: async () => undefined,
    sockets: joinSockets([]),
    applyDraft: never,
    configFile: 'lictor.yaml',
    running: () => ({ families: [], workers: [] }),
    isLeaving: () => false,
    onChange: () => undefined,
    deciding: () => current.get(),
    onNodes: async () => undefined,
    onUnusable: () => undefined,
    beside: false,
    config: loaded.config,
  });
  await shared.store.tokens.create({
    id: token.id,
    name: 'reviewer',
    roles: ['auditor'],
    scope: null,
    cidrs: [],
    lifetimeMs: null,
    hash: hashToken(token.text),
  });
  current = createCurrentRuntime(await buildRuntime(shared, loaded.config, NO_POLICIES));
});
afterAll(async () => {
  await current.get().retire();
  for (const part of [shared.exports, shared.tracing, shared.ledgerSearch, shared.bodies, shared.eventIntake, shared.ledger, shared.store]) await part.close();
  removeRuntimeDir(paths);
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  changes = [];
});
afterEach(() => chmodSync(policies, 0o755));

const latest = async () => (await shared.store.policySets.latest())?.revision ?? 0;

async function apply(files: DraftRequest['files'], more: Partial<DraftRequest> = {}) {
  const record = async (change: PolicyChange) => changes.push(change) > 0;
  const request = { by: 'alice@local', onBehalfOf: [], why: 'a test', base: await latest(), record, files, ...more };
  return applyDraft({ shared, current, retire: (former) => void former.retire() }, request);
}

async function mayRead(): Promise<string> {
  const answer = await current.get().decider.authorizeOwn(parseEdgeInputs({ [INPUT.authorization]: `Bearer ${token.text}` }), 'access.read');
  return answer.ok ? 'allowed' : answer.reason;
}

describe('a draft', () => {
  it('that is applied denies the next request, and one that is rolled back allows it again', async () => {
    expect(await mayRead()).toBe('allowed');
    const outcome = await apply({ 'own.cedar': FORBID });
    expect(outcome).toMatchObject({ applied: true });
    expect(await mayRead()).toBe('policy-forbids');
    expect(readFileSync(join(policies, 'own.cedar'), 'utf8')).toBe(FORBID);
    expect(await shared.store.policySets.latest()).toMatchObject({ by: 'alice@local', why: 'a test', revision: current.get().revision });
    expect(changes).toMatchObject([{ decision: 'allow', reason: 'policies-applied', revision: current.get().revision, policies: ['+not-them'] }]);
    expect(await apply({})).toMatchObject({ applied: true });
    expect([await mayRead(), readdirSync(policies)]).toEqual(['allowed', []]);
    expect(changes.at(-1)).toMatchObject({ policies: ['-not-them'] });
  });

  const nothing = async (refusal: object, applying: () => Promise<unknown>): Promise<void> => {
    const before = [await latest(), current.get().revision, JSON.stringify(readdirSync(policies))];
    expect(await applying()).toMatchObject({ applied: false, ...refusal });
    expect([await latest(), current.get().revision, JSON.stringify(readdirSync(policies)), await mayRead()]).toEqual([...before, 'allowed']);
  };

  it('twin: of the second of two editors changes nothing, and names who was first', async () => {
    const base = await latest();
    await apply({ 'other.cedar': '// first\n' });
    await nothing({ code: 'policies-changed', detail: expect.stringContaining('alice@local has applied revision') }, () =>
      apply({ 'own.cedar': FORBID }, { base }),
    );
    expect(readFileSync(join(policies, 'other.cedar'), 'utf8')).toBe('// first\n');
    await apply({});
  });

  it('twin: changes nothing while it is broken, its vectors fail, or it is what is in force', async () => {
    await nothing({ code: 'policies-invalid', detail: expect.stringMatching(/^own\.cedar:1:19/) }, () =>
      apply({ 'own.cedar': 'forbid (principal action, resource);' }),
    );
    const vectors = 'vectors:\n  - { name: v, principal: { roles: [admin] }, action: variables.write, expect: deny }\n';
    await nothing({ code: 'policies-invalid', detail: expect.stringContaining('a.vectors.yaml:2') }, () =>
      apply({ 'own.cedar': FORBID, 'a.vectors.yaml': vectors }),
    );
    await nothing({ code: 'policies-same' }, () => apply({}));
    expect(changes).toEqual([]);
  });

  it('twin: overwrites no file that was never applied', async () => {
    writeFileSync(join(policies, 'edit.cedar'), '// mine\n');
    await nothing({ code: 'policies-unapplied', detail: expect.stringContaining('edit.cedar') }, () => apply({ 'own.cedar': FORBID }));
    rmSync(join(policies, 'edit.cedar'));
  });

  it('twin: goes into no directory that every user can write', async () => {
    chmodSync(policies, 0o777);
    await nothing({ code: 'policies-unapplied', detail: expect.stringContaining('every user') }, () => apply({ 'own.cedar': FORBID }));
  });

  it('twin: changes nothing without a record', async () => {
    await nothing({ code: 'ledger-unavailable' }, () => apply({ 'own.cedar': FORBID }, { record: async () => false }));
  });

  it('twin: that cannot be written is recorded as refused, and decides nothing', async () => {
    // With what is added for the time of writing, the name is too long for the file system.
    await nothing({ code: 'policies-read-only' }, () => apply({ [`${'x'.repeat(248)}.cedar`]: FORBID }));
    expect(changes.map(({ reason }) => reason)).toEqual(['policies-applied', 'policies-refused']);
  });
});
