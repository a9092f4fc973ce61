// lictor lock, unlock and locks, on the store file itself.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { openLedgerReader } from '../ledger/query.ts';
import { main } from './main.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lictor-locks-'));
  writeFileSync(
    join(root, 'lictor.yaml'),
    'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\nidentity_providers: [{ id: local, type: accounts }]\n',
  );
});
afterEach(() => {
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const status = await main({ args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args], out, err, env: {}, cwd: root });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

async function records(): Promise<unknown[]> {
  const reader = openLedgerReader(join(root, 'ledger.db'));
  const found = [];
  for await (const { action, resource_type, resource_id } of reader.audit({})) found.push([action, resource_type, resource_id]);
  reader.close();
  return found;
}

describe('lictor lock', () => {
  it('locks, shows and unlocks; both are recorded', async () => {
    await lictor('account', 'add', 'alice', '--role', 'viewer');
    const locked = await lictor('lock', 'alice@local', '--for', '1h', '--why', 'laptop stolen');
    expect(locked).toMatchObject({ status: 0, err: '', out: expect.stringContaining('lictor unlock alice@local ends it') });
    const [lock] = JSON.parse((await lictor('locks', '--json')).out);
    expect(lock).toMatchObject({ what: 'alice@local', kind: 'principal', why: 'laptop stolen', by: expect.stringMatching(/^local:/) });
    expect(Math.abs(Date.parse(lock.expires_at) - Date.now() - 3_600_000)).toBeLessThan(60_000);
    expect((await lictor('locks')).out).toMatch(/WHAT .*\nalice@local .*laptop stolen\n$/);
    expect(await lictor('unlock', 'alice@local')).toMatchObject({ status: 0, out: 'alice@local is unlocked.\n' });
    expect((await lictor('locks')).out).toContain('No locks.');
    expect((await records()).filter((record) => JSON.stringify(record).includes('Lock'))).toEqual([
      ['lock.create', 'Lock', 'alice@local'],
      ['lock.remove', 'Lock', 'alice@local'],
    ]);
  });

  it('keeps networks in one form, so that unlock finds them', async () => {
    expect(await lictor('lock', 'address:::ffff:192.0.2.7')).toMatchObject({ status: 0 });
    expect(JSON.parse((await lictor('locks', '--json')).out)).toMatchObject([{ what: 'address:192.0.2.7' }]);
    expect(await lictor('unlock', 'address:192.0.2.7/32')).toMatchObject({ status: 0 });
  });

  it.each([
    ['alise@local', 'There is no account alise@local'],
    ['alice@corp', 'There is no identity provider corp'],
    ['ETL worker@corp', 'There is no identity provider corp'],
    ['token:etl@corp', 'There is no identity provider corp'],
    ['token:nobody', 'There is no live token nobody'],
    ['idp:corp', 'There is no identity provider corp'],
  ])('refuses %s, which shuts nobody out', async (what, words) => {
    expect(await lictor('lock', what)).toMatchObject({ status: 1, out: '', err: expect.stringContaining(words) });
    expect((await lictor('locks')).out).toContain('No locks.');
  });

  it.each([
    ['alice'],
    [''],
    [' alice@local'],
    ['alice @local'],
    ['two\nlines@local'],
    ['address:0.0.0.0/0'],
    ['address:::/0'],
    ['address:10.0.0.0/99'],
    ['address:here'],
    ['session:abc'],
    ['session:../../x'],
    ['idp:'],
    ['alice@local', '--for', 'soon'],
    ['alice@local', '--for', '0s'],
    ['alice@local', '--why', 'two\nlines'],
  ])('answers 2 to %s %s %s', async (...args) => {
    const { status, out, err } = await lictor('lock', ...args);
    expect([status, out]).toEqual([2, '']);
    expect(err).not.toMatch(/defect|at .*\.ts/);
  });

  it('unlock says when there is no such lock', async () => {
    expect(await lictor('unlock', 'address:192.0.2.7')).toMatchObject({ status: 1, err: expect.stringContaining('no lock on address:192.0.2.7') });
  });
});
