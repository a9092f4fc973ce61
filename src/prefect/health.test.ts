import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ServersHealth, watchServers } from './health.ts';

let health: ServersHealth | undefined;
afterEach(() => health?.stop());

function watch(answers: Record<string, boolean>) {
  const changes: string[] = [];
  health = watchServers({
    servers: Object.keys(answers),
    probe: async (server) => {
      if (answers[server] === undefined) throw new Error('gone');
      return answers[server];
    },
    onChange: (index, up) => changes.push(`${index} ${up ? 'up' : 'down'}`),
    intervalMs: 5,
  });
  return { changes, health };
}

describe('the health of several servers', () => {
  it('takes a server out after failures in a row, and back after answers in a row', async () => {
    const answers = { a: true, b: true };
    const { changes, health } = watch(answers);
    expect(health.usable()).toEqual(['a', 'b']);
    answers.b = false;
    await vi.waitFor(() => expect(changes).toEqual(['1 down']));
    expect(health.usable()).toEqual(['a']);
    answers.b = true;
    await vi.waitFor(() => expect(changes).toEqual(['1 down', '1 up']));
    expect(health.usable()).toEqual(['a', 'b']);
  });

  it('keeps asking all when none answers', async () => {
    const { changes, health } = watch({ a: false, b: false });
    await vi.waitFor(() => expect(changes).toHaveLength(2));
    expect(health.usable()).toEqual(['a', 'b']);
  });

  it('does not let one failure decide', async () => {
    let calls = 0;
    const changes: number[] = [];
    health = watchServers({ servers: ['a'], probe: async () => ++calls !== 2, onChange: (index) => changes.push(index), intervalMs: 5 });
    await vi.waitFor(() => expect(calls).toBeGreaterThan(6));
    expect(changes).toEqual([]);
  });

  it('does not wait for a hanging server to look at the others', async () => {
    const changes: number[] = [];
    health = watchServers({
      servers: ['hangs', 'down'],
      probe: (server) => (server === 'down' ? Promise.resolve(false) : new Promise((resolve) => setTimeout(() => resolve(true), 100))),
      onChange: (index) => changes.push(index),
      intervalMs: 5,
    });
    await vi.waitFor(() => expect(changes).toEqual([1]));
  });
});
