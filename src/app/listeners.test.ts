import { expect, it, vi } from 'vitest';
import type { Config } from '../config/config.ts';
import { prepareListeners } from './listeners.ts';

const CONFIG = { forwardProxy: null, metrics: null, services: [], forwardHeaders: [] } as unknown as Config;
const opened = () => Promise.resolve({ commit: vi.fn(), discard: vi.fn() });

function parts() {
  return { forward: { prepare: vi.fn(opened) }, metered: { prepare: vi.fn(opened) }, serviceProxy: { prepare: vi.fn(async () => undefined) } };
}

it('prepares the service proxy for the services of the configuration', async () => {
  const listeners = parts();
  await prepareListeners(listeners, CONFIG);
  expect(listeners.serviceProxy.prepare).toHaveBeenCalledWith(CONFIG);
});

it('opens nothing else where the service proxy cannot listen', async () => {
  const listeners = parts();
  listeners.serviceProxy.prepare.mockRejectedValue(new Error('no room'));
  await expect(prepareListeners(listeners, CONFIG)).rejects.toThrow('no room');
  expect([listeners.forward.prepare, listeners.metered.prepare].flatMap((prepare) => prepare.mock.calls)).toEqual([]);
});
