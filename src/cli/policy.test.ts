// lictor policy, check and explain with own policies, without a gateway.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { systemClock } from '../contract/clock.ts';
import { openStore } from '../store/store.ts';
import { main } from './main.ts';

const FREEZE = '@id("freeze")\n@description("No changes today")\nforbid (principal, action in Action::"configure", resource);\n';
let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lictor-policy-'));
  mkdirSync(join(root, 'policies'));
  configure('policies: policies\n');
});
afterEach(() => {
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
  const status = await main({ args: ['--state-dir', root, ...args], out: stream, err: stream, env: { ...process.env }, cwd: root });
  return { status, text };
}

async function keep(revision: number, files: Readonly<Record<string, string>>): Promise<void> {
  const store = await openStore({ file: join(root, 'lictor.db'), clock: systemClock });
  await store.policySets.put({ revision, files, by: 'local:root', why: `set ${revision}` });
  await store.close();
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
    expect((await lictor('policy', 'history')).text).toMatch(/REVISION.*\n8 .*local:root +2 +set 8\n3 .*set 3\n/);
    expect((await lictor('policy', 'show', '5')).text).toBe(`// own.cedar\n${FREEZE}`);
    expect(await lictor('policy', 'show', '2')).toMatchObject({ status: 1 });
    expect(await lictor('policy', 'show', 'x')).toMatchObject({ status: 2 });
    const out = join(root, 'out');
    await lictor('policy', 'show', '3', '-o', out);
    expect(readFileSync(join(out, 'own.cedar'), 'utf8')).toBe(FREEZE);
    expect((await lictor('policy', 'diff', '3', '8')).text).toContain('-@id("freeze")');
    put('own.cedar', '// open\n');
    put('more.cedar', '');
    expect((await lictor('policy', 'diff')).text).toBe('No difference: revision 8, on the disk.\n');
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

  it('rollback writes nothing over edits that were never applied, unless it is told to', async () => {
    await keep(3, { 'own.cedar': FREEZE });
    await keep(8, { 'own.cedar': '// open\n' });
    put('own.cedar', '// an edit\n');
    put('extra.cedar', '');
    expect((await lictor('policy', 'rollback', '3')).text).toContain('never applied');
    await lictor('policy', 'rollback', '3', '--force');
    expect(readFileSync(join(root, 'policies', 'own.cedar'), 'utf8')).toBe(FREEZE);
    expect(() => readFileSync(join(root, 'policies', 'extra.cedar'))).toThrow();
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
