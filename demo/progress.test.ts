import { Writable } from 'node:stream';
import { expect, it } from 'vitest';
import { createProgress } from './progress.ts';

function sink(isTTY: boolean): { readonly out: Writable; text(): string } {
  const chunks: string[] = [];
  const out = new Writable({
    write: (chunk, _encoding, next) => {
      chunks.push(String(chunk));
      next();
    },
  });
  return { out: Object.assign(out, { isTTY }), text: () => chunks.join('') };
}

it('prints plain lines where there is no terminal', async () => {
  const { out, text } = sink(false);
  const result = await createProgress(out).step(
    'Baking',
    async (update) => {
      update('half done');
      return 3;
    },
    (loaves) => `${loaves} loaves`,
  );
  expect(result).toBe(3);
  expect(text()).toBe('Baking ...\n  half done\n3 loaves\n');
});

it('clears its moving line on a terminal and leaves what was done', async () => {
  const { out, text } = sink(true);
  await createProgress(out).step(
    'Baking',
    async () => 1,
    () => 'one loaf',
  );
  expect(text()).toContain('Baking (0 s)');
  expect(text().endsWith('\r\u001b[K✓ one loaf\n')).toBe(true);
});

it('shows a failure and passes it on', async () => {
  const { out, text } = sink(false);
  const failing = createProgress(out).step(
    'Baking',
    () => Promise.reject(new Error('no flour')),
    () => 'never',
  );
  await expect(failing).rejects.toThrow('no flour');
  expect(text()).toBe('Baking ...\nBaking: failed\n');
});
