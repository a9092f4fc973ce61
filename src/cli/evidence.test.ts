// Where `lictor evidence` puts its files.
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
  await (await openStore({ file: join(root, 'lictor.db'), clock: Date.now })).close();
  writeFileSync(join(root, 'lictor.yaml'), 'public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:9" }\n');
});
afterEach(() => remove());

async function evidence(output: string) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const args = ['--state-dir', root, '-c', join(root, 'lictor.yaml'), 'evidence', '--from', '2026-03-01', '--to', '2026-03-31', '-o', output];
  const status = await main({ args, out, err, env: {}, cwd: root });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

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
    // report.html still fits into what a path may be, and access-review.csv does not.
    let long = join(root, 'long');
    while (long.length < 3_900) long = join(long, 'x'.repeat(100));
    long = join(long, 'x'.repeat(4_080 - long.length - 1));
    const { status, err } = await evidence(long);
    expect([status, err]).toEqual([1, expect.stringContaining('was not written')]);
    expect(existsSync(join(root, 'long'))).toBe(false);
  });
});
