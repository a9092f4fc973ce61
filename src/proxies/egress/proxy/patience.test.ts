import { afterEach, expect, it, vi } from 'vitest';
import { startPatience } from './patience.ts';

afterEach(() => void vi.useRealTimers());

it.each([
  ['ten years', 315_360_000_000, 2 ** 31 - 1],
  ['a minute', 60_000, 60_000],
])('a server may take its time: %s, as far as a timer goes', (_what, timeoutMs, lateMs) => {
  vi.useFakeTimers();
  const onLate = vi.fn();
  startPatience({ timeoutMs, isHeldUp: () => false }, onLate).begin();
  vi.advanceTimersByTime(lateMs - 1);
  expect(onLate).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onLate).toHaveBeenCalledOnce();
});
