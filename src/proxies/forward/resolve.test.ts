// Names with slow look-ups delay only the principal that asks for them.
import { expect, it, vi } from 'vitest';
import { createResolve, type Resolved } from './resolve.ts';

const PUBLIC = '93.184.216.34';

interface Slow {
  readonly asked: string[];
  readonly most: () => number;
  readonly answer: (host: string) => void;
  readonly resolve: ReturnType<typeof createResolve>;
}

/** A system that answers for a name when the test says so. */
function slowSystem(avoid: readonly string[] = []): Slow {
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  let most = 0;
  const network = {
    lookup: (host: string) => {
      asked.push(host);
      return new Promise<readonly string[]>((done) => {
        answers.set(host, () => {
          answers.delete(host);
          done([PUBLIC]);
        });
        most = Math.max(most, answers.size);
      });
    },
    isPublic: () => true,
    ownAddresses: () => [],
    dial: () => {
      throw new Error('nothing connects here');
    },
  };
  const resolve = createResolve({ network, limits: { lookupMs: 600_000, lookups: 2 }, avoid: () => avoid });
  return { asked, most: () => most, answer: (host) => answers.get(host)?.(), resolve };
}

const FOUND: Resolved = { ok: true, addresses: [PUBLIC] };

it('a principal whose names are slow leaves a place for the others, and gets his own one after the other', async () => {
  const { asked, most, answer, resolve } = slowSystem();
  const slow = ['a.test', 'b.test', 'c.test'].map((host) => resolve(host, 'run:slow'));
  const other = resolve('d.test', 'run:other');
  expect(asked).toEqual(['a.test', 'd.test']);
  answer('d.test');
  expect(await other).toEqual(FOUND);
  answer('a.test');
  for (const host of ['b.test', 'c.test']) {
    await vi.waitFor(() => expect(asked.at(-1)).toBe(host), { timeout: 10_000 });
    answer(host);
  }
  expect(await Promise.all(slow)).toEqual([FOUND, FOUND, FOUND]);
  expect(most()).toBe(2);
});

it('in all there are no more than the bound, however many principals ask, and the first who waits is next', async () => {
  const { asked, most, answer, resolve } = slowSystem();
  const all = ['a', 'b', 'c', 'd'].map((name) => resolve(`${name}.test`, `run:${name}`));
  expect(asked).toEqual(['a.test', 'b.test']);
  answer('b.test');
  await vi.waitFor(() => expect(asked).toEqual(['a.test', 'b.test', 'c.test']), { timeout: 10_000 });
  for (const name of ['a', 'c']) answer(`${name}.test`);
  await vi.waitFor(() => expect(asked).toHaveLength(4), { timeout: 10_000 });
  answer('d.test');
  expect(await Promise.all(all)).toEqual([FOUND, FOUND, FOUND, FOUND]);
  expect(most()).toBe(2);
});

it('the names of the gateway itself are looked up at the side of a principal who waits', async () => {
  const { asked, answer, resolve } = slowSystem(['own.test']);
  const first = resolve('a.test', 'run:a');
  expect(asked).toEqual(['a.test', 'own.test']);
  for (const host of asked) answer(host);
  expect(await first).toEqual({ ok: false, reason: 'host-private' });
});
