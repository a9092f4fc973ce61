import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createKeptWatch } from './kept-answers.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lictor-kept-'));
  mkdirSync(join(dir, 'a'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const NAME = '0123456789abcdef0123456789abcde';

/** As nginx writes them: the end of validity in the second eight bytes, the key behind the rest of the head. */
function kept(last: string, validSeconds: number, key = '600 billing x 0 token%3Aa GET\n\n\n\n/v1/rates'): string {
  const head = Buffer.alloc(336);
  head.writeBigInt64LE(5n, 0);
  head.writeBigInt64LE(BigInt(validSeconds), 8);
  const file = join(dir, 'a', `${NAME}${last}`);
  writeFileSync(file, Buffer.concat([head, Buffer.from(`\nKEY: ${key}\nHTTP/1.1 200 OK\r\n\r\nbody`)]));
  return file;
}

function setting(nowSeconds: () => number, dirs: readonly string[] = [dir]) {
  const troubles: unknown[] = [];
  const watch = createKeptWatch({ dirs: () => dirs, clock: () => nowSeconds() * 1000, log: { warn: (trouble: unknown) => troubles.push(trouble) } });
  return { watch, troubles };
}

it('ends what is older than it may be, and leaves the rest', async () => {
  let now = 1_000_000;
  const { watch } = setting(() => now);
  const [older, newer] = [kept('1', now + 60), kept('2', now + 60, '601 billing')];
  await watch.look();
  now += 660;
  await watch.look();
  expect([older, newer].map((file) => existsSync(file))).toEqual([true, true]);
  now += 1;
  await watch.look();
  expect([older, newer].map((file) => existsSync(file))).toEqual([false, true]);
});

it('leaves what was fetched anew under the same name', async () => {
  let now = 1_000_000;
  const { watch, troubles } = setting(() => now, [dir, join(dir, 'nowhere')]);
  const file = kept('1', now + 60);
  await watch.look();
  now += 661;
  kept('1', now + 60);
  await watch.look();
  expect(existsSync(file)).toBe(true);
  expect(troubles).toEqual([]);
});

it('ends what cannot be read, and touches nothing that is still written', async () => {
  const { watch } = setting(() => 1_000_000);
  const [odd, short, writing] = [join(dir, 'a', `${NAME}1`), join(dir, 'a', `${NAME}2`), join(dir, 'a', `${NAME}3.0000000001`)];
  for (const file of [odd, short, writing]) writeFileSync(file, file === short ? '' : 'x'.repeat(2000));
  await watch.look();
  expect([odd, short, writing].map((file) => existsSync(file))).toEqual([false, false, true]);
});

it('goes on past what it cannot read, and tells of each kind once, until it is over', async () => {
  let now = 1_000_000;
  const plain = join(dir, 'plain');
  writeFileSync(plain, '');
  const { watch, troubles } = setting(() => now, [plain, dir]);
  const [loop, other, folder] = ['0', '1', '2'].map((last) => join(dir, 'a', `${NAME}${last}`)) as [string, string, string];
  for (const path of [loop, other]) symlinkSync(path, path);
  mkdirSync(folder);
  const overdue = kept('3', now - 1_000);
  await watch.look();
  expect(existsSync(overdue)).toBe(false);
  expect(troubles).toEqual([
    { code: 'ENOTDIR', path: plain },
    { code: 'ELOOP', path: loop },
    { code: 'EISDIR', path: folder },
  ]);
  now += 1;
  await watch.look();
  expect(troubles).toHaveLength(3);
  for (const path of [loop, other]) rmSync(path);
  await watch.look();
  symlinkSync(other, other);
  await watch.look();
  expect(troubles.slice(3)).toEqual([{ code: 'ELOOP', path: other }]);
});
