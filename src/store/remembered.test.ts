import { expect, it } from 'vitest';
import { createRemembered, type Remembered } from './remembered.ts';

/** A row that says in which read it was read. */
function counted(remembered: Remembered) {
  let reads = 0;
  return async (): Promise<number | undefined> => (await remembered.of('row', async () => ({ read: ++reads })))?.read;
}

it('a row is read once for each change number', async () => {
  const remembered = createRemembered();
  const row = counted(remembered);
  expect([await row(), await row()]).toEqual([1, 2]); // no number is known yet
  remembered.seen(7);
  expect([await row(), await row()]).toEqual([3, 3]);
  remembered.seen(7);
  expect(await row()).toBe(3);
  remembered.seen(8);
  expect([await row(), await row()]).toEqual([4, 4]);
});

it('a number that comes back, an own change and a failure end it', async () => {
  const remembered = createRemembered();
  const row = counted(remembered);
  remembered.seen(8);
  expect(await row()).toBe(1);
  remembered.seen(7);
  remembered.seen(8);
  expect(await row()).toBe(2);
  remembered.forget();
  expect([await row(), await row()]).toEqual([3, 3]);
  remembered.drop('row');
  expect(await row()).toBe(4);
});

it('a row that was read before a change is not stored after it', async () => {
  const remembered = createRemembered();
  remembered.seen(1);
  const slow = Promise.withResolvers<{ readonly from: string }>();
  const early = remembered.of('row', () => slow.promise);
  remembered.seen(2);
  slow.resolve({ from: 'before' });
  expect(await early).toEqual({ from: 'before' });
  expect(await remembered.of('row', async () => ({ from: 'after' }))).toEqual({ from: 'after' });
});

it('what is not there is asked for each time', async () => {
  const remembered = createRemembered();
  remembered.seen(1);
  expect(await remembered.of('row', async () => undefined)).toBeUndefined();
  expect(await remembered.of('row', async () => ({ there: true }))).toEqual({ there: true });
});
