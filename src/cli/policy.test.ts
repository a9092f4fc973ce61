// lictor policy, check and explain with own policies, without a gateway.
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { prepareStateDir, removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { systemClock } from '../contract/clock.ts';
import type { PolicyOutcome } from '../contract/policy-outcome.ts';
import { createAdminServer } from '../edge/http/admin-server.ts';
import { MOST_SETS } from '../store/policy-sets.ts';
import { openStore } from '../store/store.ts';
import { main } from './main.ts';

const FREEZE = '@id("freeze")\n@description("No changes today")\nforbid (principal, action in Action::"configure", resource);\n';
let root = '';
let control: Server | undefined;
beforeEach(() => {
  root = makeMemoryDir('lictor-policy-');
  mkdirSync(join(root, 'policies'));
  configure('policies: policies\n');
});
afterEach(() => {
  control?.close();
  control = undefined;
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

function configure(more: string): void {
  writeFileSync(join(root, 'lictor.yaml'), `public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n${more}`);
}

function put(name: string, text: string): void {
  writeFileSync(join(root, 'policies', name), text);
}

async function lictor(...args: string[]): Promise<{ readonly status: number; readonly text: string }> {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk) => {
    text += String(chunk);
  });
  const status = await main({
    args: ['--state-dir', root, ...args],
    out: stream,
    err: stream,
    env: { ...process.env },
    cwd: root,
    pause: async () => undefined,
  });
  return { status, text };
}

async function keep(revision: number, files: Readonly<Record<string, string>>): Promise<void> {
  const store = await openStore({ at: join(root, 'lictor.db'), clock: systemClock });
  await store.policySets.put({ revision, files, by: 'local:root', why: `set ${revision}` });
  await store.close();
}

async function publish(revisions: number): Promise<void> {
  const store = await openStore({ at: join(root, 'lictor.db'), clock: systemClock });
  for (let number = 1; number <= revisions; number += 1) await store.revisions.publish([String(number)]);
  await store.close();
}

/** A control plane that answers this to a request to apply policies. */
async function runsGateway(outcome: PolicyOutcome): Promise<void> {
  const nothing = async () => undefined;
  control = createAdminServer(
    { sync: nothing, rereadSecrets: nothing, applyPolicies: async () => outcome, workers: () => [], sharedStore: () => null },
    () => undefined,
  );
  control.listen(prepareStateDir(root).adminSocket);
  await once(control, 'listening');
}

describe('lictor policy', () => {
  it('apply says that nothing runs, what is broken, or that no directory is configured', async () => {
    put('own.cedar', FREEZE);
    expect(await lictor('policy', 'apply')).toMatchObject({ status: 1, text: expect.stringContaining('does not run') });
    put('own.cedar', `${FREEZE}forbid (principal action, resource);`);
    expect(await lictor('policy', 'apply')).toMatchObject({
      status: 1,
      text: expect.stringMatching(/Nothing was changed\.\n.*own\.cedar:4:19 {2}unexpected token/),
    });
    configure('');
    expect(await lictor('policy', 'apply')).toMatchObject({ status: 2, text: expect.stringContaining('add policies: DIRECTORY') });
  });

  it('shows what was in force at any revision, and the difference to another or to the disk', async () => {
    await keep(3, { 'own.cedar': FREEZE });
    await keep(8, { 'own.cedar': '// open\n', 'more.cedar': '' });
    const before = 'Before revision 3 there were no own policies: lictor policy rollback 2 returns to that.';
    expect((await lictor('policy', 'history')).text).toMatch(new RegExp(`REVISION.*\\n8 .*local:root +2 +set 8\\n3 .*set 3\\n${before}\\n$`));
    expect((await lictor('policy', 'show', '5')).text).toBe(`// own.cedar\n${FREEZE}`);
    expect(await lictor('policy', 'show', '0')).toMatchObject({ status: 1 });
    expect(await lictor('policy', 'show', 'x')).toMatchObject({ status: 2 });
    const out = join(root, 'out');
    await lictor('policy', 'show', '3', '-o', out);
    expect(readFileSync(join(out, 'own.cedar'), 'utf8')).toBe(FREEZE);
    expect((await lictor('policy', 'diff', '3', '8')).text).toContain('-@id("freeze")');
    put('own.cedar', '// open\n');
    put('more.cedar', '');
    expect((await lictor('policy', 'diff')).text).toBe('No difference: revision 8, on the disk.\n');
  });

  it('knows that there were no own policies before the first set, and rolls back to that', async () => {
    await keep(3, { 'own.cedar': FREEZE });
    put('own.cedar', FREEZE);
    await runsGateway({ applied: true, from: 3, to: 4 });
    expect(await lictor('policy', 'show', '2')).toEqual({ status: 0, text: 'No own policies were in force.\n' });
    expect((await lictor('policy', 'diff', '2', '3')).text).toContain('+@id("freeze")');
    expect(await lictor('policy', 'rollback', '2')).toEqual({ status: 0, text: 'Policies applied: revision 3 -> 4.\n' });
    expect(readdirSync(join(root, 'policies'))).toEqual([]);
  });

  it('names a set without files in the history, and no state before the first revision of all', async () => {
    await keep(1, { 'own.cedar': FREEZE });
    await keep(4, {});
    expect((await lictor('policy', 'history')).text).toMatch(/\n4 .* 0 \(no own policies\) +set 4\n1 .* 1 +set 1\n$/);
  });

  it('twin: rolls back to no revision where older sets may have been deleted', async () => {
    const store = await openStore({ at: join(root, 'lictor.db'), clock: systemClock });
    await store.policySets.put({ revision: 9, files: { 'own.cedar': FREEZE }, by: 'local:root', why: '' });
    await store.close();
    const database = new DatabaseSync(join(root, 'lictor.db'));
    database.exec(`WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < ${MOST_SETS + 8})
      INSERT INTO policy_sets (revision, files, applied_by, why, created_ms) SELECT i, files, applied_by, why, created_ms + i FROM policy_sets, n`);
    database.close();
    put('own.cedar', FREEZE);
    expect(await lictor('policy', 'rollback', '2')).toMatchObject({ status: 1, text: expect.stringContaining('No policies are stored of that time') });
    expect(readFileSync(join(root, 'policies', 'own.cedar'), 'utf8')).toBe(FREEZE);
  });

  it('writes no file whose name leads elsewhere, whatever the store says', async () => {
    await keep(3, { '../outside.cedar': FREEZE });
    const out = join(root, 'out', 'in');
    for (const command of [
      ['show', '3', '-o', out],
      ['rollback', '3', '--force'],
    ])
      expect(await lictor('policy', ...command)).toMatchObject({ status: 1, text: expect.stringContaining('../outside.cedar') });
    expect([join(root, 'out', 'outside.cedar'), join(root, 'outside.cedar')].filter((file) => existsSync(file))).toEqual([]);
  });

  it('rollback overwrites no edits that were never applied, unless --force is given', async () => {
    await keep(3, { 'own.cedar': FREEZE });
    await keep(8, { 'own.cedar': '// open\n' });
    put('own.cedar', '// an edit\n');
    put('extra.cedar', '');
    await runsGateway({ applied: true, from: 8, to: 9 });
    expect((await lictor('policy', 'rollback', '3')).text).toContain('never applied');
    expect(await lictor('policy', 'rollback', '3', '--force')).toMatchObject({ status: 0, text: 'Policies applied: revision 8 -> 9.\n' });
    expect(readFileSync(join(root, 'policies', 'own.cedar'), 'utf8')).toBe(FREEZE);
    expect(() => readFileSync(join(root, 'policies', 'extra.cedar'))).toThrow();
  });

  it('rollback writes nothing while the gateway is away, forced or not', async () => {
    await keep(3, { 'own.cedar': FREEZE });
    await keep(8, { 'own.cedar': '// open\n' });
    for (const [text, more] of [['// open\n'], ['// an edit\n', '--force']] as const) {
      put('own.cedar', text);
      const said = await lictor('policy', 'rollback', '3', ...(more === undefined ? [] : [more]));
      expect(said).toMatchObject({ status: 1, text: expect.stringMatching(/does not run, so nothing was changed.*show 3 -o DIR/) });
      expect(readFileSync(join(root, 'policies', 'own.cedar'), 'utf8')).toBe(text);
    }
  });

  it('rollback says that the files are there where they were not applied', async () => {
    await keep(3, { 'own.cedar': FREEZE });
    await keep(8, { 'own.cedar': '// open\n' });
    put('own.cedar', '// open\n');
    await runsGateway({ applied: false, revision: 8, why: 'no room' });
    const { status, text } = await lictor('policy', 'rollback', '3');
    expect([status, text]).toEqual([
      1,
      expect.stringMatching(/^lictor: Nothing was applied, revision 8 decides on\.\nno room\nThe files of revision 3 are in /),
    ]);
    expect(readFileSync(join(root, 'policies', 'own.cedar'), 'utf8')).toBe(FREEZE);
  });

  it.each(['show', 'diff', 'rollback'])('%s takes no revision that never was, and names those that were', async (name) => {
    await keep(3, { 'own.cedar': FREEZE });
    await keep(8, { 'own.cedar': '// open\n' });
    put('own.cedar', '// open\n');
    const refused = (last: number) => ({ status: 2, text: expect.stringContaining(`There was no revision 99 yet: they go from 3 to ${last}`) });
    expect(await lictor('policy', name, '99')).toMatchObject(refused(8));
    await publish(12);
    expect(await lictor('policy', name, '99')).toMatchObject(refused(12));
    expect(await lictor('policy', name, '8.5')).toMatchObject({ status: 2, text: expect.stringContaining('is no revision') });
    await runsGateway({ applied: true, from: 12, to: 12 });
    expect(await lictor('policy', name, '12')).toMatchObject({ status: 0 });
  });

  it('show -o says in words that the directory cannot be made', async () => {
    await keep(3, { 'own.cedar': FREEZE });
    const { status, text } = await lictor('policy', 'show', '3', '-o', join(root, 'lictor.yaml', 'out'));
    expect([status, text]).toEqual([1, expect.stringContaining('a file and no directory')]);
    expect(text).not.toContain('defect');
  });
});

describe('with own policies', () => {
  it('check names their problems beside those of nginx, and warnings that refuse nothing', async () => {
    put('own.cedar', '@id("never") forbid (principal, action == Action::"flows.read", resource is Variable);');
    expect(await lictor('check')).toMatchObject({ status: 0, text: expect.stringMatching(/own\.cedar:1:\d+ {2}warning: policy never can never match/) });
    put('own.cedar', 'forbid (principal, action, resource);');
    const { status, text } = await lictor('check', '--json');
    expect({ status, first: JSON.parse(text.split('\n')[0] ?? '') }).toMatchObject({
      status: 1,
      first: { file: expect.stringContaining('own.cedar'), line: 1, column: 1, message: 'the policy has no @id' },
    });
  });

  it('explain answers by those in force, and says where they stand', async () => {
    put('own.cedar', '// an edit that was not applied\n');
    await keep(3, { 'own.cedar': FREEZE });
    const { text } = await lictor('explain', 'role:admin', 'variables.write', '--json');
    expect(JSON.parse(text)).toMatchObject({
      decision: 'deny',
      reason: 'policy-forbids',
      asks: [{ policies: [{ id: 'freeze', file: 'own.cedar', description: 'No changes today' }] }],
    });
    expect((await lictor('explain', 'role:admin', 'variables.read')).text).toContain('allow');
  });
});
