import { afterEach, expect, it, vi } from 'vitest';
import { startPatience } from './patience.ts';

afterEach(() => void vi.useRealTimers());

it.each([
  ['the longest timeout of a service', 24 * 86_400_000],
  ['a minute', 60_000],
])('a server may take %s', (_what, timeoutMs) => {
  vi.useFakeTimers();
  const onLate = vi.fn();
  startPatience({ timeoutMs, isHeldUp: () => false }, onLate).begin();
  vi.advanceTimersByTime(timeoutMs - 1);
  expect(onLate).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(onLate).toHaveBeenCalledOnce();
});
