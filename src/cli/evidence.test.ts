// The output directory of `lictor evidence`.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeRecords } from '../record/ledger/chain/chain.fixture.ts';
import { tempState } from '../record/ledger/lines.fixture.ts';
import { openStore } from '../store/store.ts';
import { main } from './main.ts';

let root: string;
let remove: () => void;
beforeEach(async () => {
  const state = tempState();
  root = state.paths.root;
  remove = state.remove;
  writeRecords(state.paths, 3);
  await (await openStore({ at: join(root, 'lictor.db'), clock: Date.now })).close();
  writeFileSync(join(root, 'lictor.yaml'), 'public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:9" }\n');
});
afterEach(() => remove());

async function evidence(output: string, to = '2026-03-31', from = '2026-03-01') {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const args = ['--state-dir', root, '-c', join(root, 'lictor.yaml'), 'evidence', '--from', from, '--to', to, '-o', output];
  const status = await main({ args, out, err, env: {}, cwd: root });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

async function json(from: string, to: string) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const args = ['--state-dir', root, '-c', join(root, 'lictor.yaml'), 'evidence', '--from', from, '--to', to, '--json'];
  const status = await main({ args, out, err, env: {}, cwd: root });
  return { status, err: String(err.read() ?? ''), data: JSON.parse(String(out.read() ?? '') || 'null') };
}

/** `at` is the time of the creation. */
async function addToken(name: string, at: number, lifetimeMs: number | null) {
  const store = await openStore({ at: join(root, 'lictor.db'), clock: () => at });
  await store.tokens.create({ id: name, name, roles: ['viewer'], scope: null, cidrs: [], lifetimeMs, hash: name });
  await store.close();
}

describe('lictor evidence of a period', () => {
  it('that is not over ends now, counts nothing that has not happened yet, and says so', async () => {
    const now = Date.now();
    await addToken('ends-later', now, 3_600_000);
    await addToken('ended', now - 7_200_000, 3_600_000);
    const { data } = await json('2020-01-01', '2099-12-31');
    expect(data.leavers.map(({ who }: { who: string }) => who)).toEqual(['token:ended']);
    expect([data.period.to, data.period.ends]).toEqual([data.made.at, '2100-01-01T00:00:00.000Z']);
    await evidence(join(root, 'open'), '2099-12-31');
    expect(readFileSync(join(root, 'open', 'report.md'), 'utf8')).toContain('The period is not over');
    await evidence(join(root, 'over'));
    expect(readFileSync(join(root, 'over', 'report.md'), 'utf8')).not.toContain('The period is not over');
  });

  it('marks who was created after it, and counts as unused only who existed in it', async () => {
    await addToken('early', Date.parse('2020-02-01'), null);
    await addToken('late', Date.parse('2020-05-01'), null);
    const { data } = await json('2020-01-01', '2020-03-31');
    const existed = data.principals.map(({ id, existed_in_period: is }: { id: string; existed_in_period: boolean }) => [id, is]);
    expect(existed).toEqual([
      ['token:early', true],
      ['token:late', false],
    ]);
    await evidence(join(root, 'past'), '2020-03-31', '2020-01-01');
    const report = readFileSync(join(root, 'past', 'report.md'), 'utf8');
    expect(report).toContain('1 principal with rights made no request: token:early (viewer).');
    expect(report).toContain('1 principal with rights did not exist in the period: token:late (viewer).');
    const [early, late] = readFileSync(join(root, 'past', 'access-review.csv'), 'utf8')
      .split('\r\n')
      .slice(1);
    expect([early, late]).toEqual([expect.not.stringContaining('did not exist'), expect.stringContaining('did not exist in the period')]);
  });

  it('in the future is rejected', async () => {
    expect(await json('2099-01-01', '2099-12-31')).toMatchObject({ status: 2, data: null, err: expect.stringContaining('is in the future') });
  });
});

describe('lictor evidence -o', () => {
  it('makes the directory, or fills an empty one', async () => {
    mkdirSync(join(root, 'empty'));
    for (const name of ['new', 'empty']) {
      expect(await evidence(join(root, name))).toMatchObject({ status: 0, out: expect.stringContaining('SHA256SUMS') });
      expect(readdirSync(join(root, name))).toHaveLength(6);
    }
  });

  it('says in words that there is something else, and leaves it', async () => {
    writeFileSync(join(root, 'file'), 'kept');
    for (const [output, words] of [
      ['file', 'is there and no directory'],
      ['file/below', 'a file and no directory'],
      ['.', 'is there and not empty'],
    ] as const) {
      const { status, out, err } = await evidence(join(root, output));
      expect([status > 0, out, err]).toEqual([true, '', expect.stringContaining(words)]);
      expect(err).not.toContain('defect');
    }
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('kept');
  });

  it('leaves no half of a report where one of its files cannot be written', async () => {
    // The path of report.html still has an allowed length, and that of access-review.csv does not.
    let long = join(root, 'long');
    while (long.length < 3_900) long = join(long, 'x'.repeat(100));
    long = join(long, 'x'.repeat(4_080 - long.length - 1));
    const { status, err } = await evidence(long);
    expect([status, err]).toEqual([1, expect.stringContaining('was not written')]);
    expect(existsSync(join(root, 'long'))).toBe(false);
  });
});
