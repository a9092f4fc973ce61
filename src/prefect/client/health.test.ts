import { afterEach, describe, expect, it } from 'vitest';
import { type Health, type ServersHealth, watchServers } from './health.ts';

let health: ServersHealth | undefined;
let endHanging = (): void => undefined;
afterEach(async () => {
  endHanging();
  await health?.stop();
});

function watch(answers: Record<string, Health>, initial: Record<string, Health> = {}) {
  const changes: string[] = [];
  health = watchServers({
    servers: Object.keys(answers),
    probe: async (server) => {
      if (answers[server] === undefined) throw new Error('gone');
      return answers[server];
    },
    onChange: (server, seen) => changes.push(`${server} ${seen}`),
    initial: (server) => initial[server] ?? 'usable',
    intervalMs: 5,
  });
  return { changes, health };
}

describe('the health of several servers', () => {
  it('takes a server out after failures in a row, and back after answers in a row', async () => {
    const answers: Record<string, Health> = { a: 'usable', b: 'usable' };
    const { changes, health } = watch(answers);
    expect(health.usable()).toEqual(['a', 'b']);
    answers['b'] = 'away';
    await expect.poll(() => changes).toEqual(['b away']);
    expect(health.usable()).toEqual(['a']);
    answers['b'] = 'usable';
    await expect.poll(() => changes).toEqual(['b away', 'b usable']);
    expect(health.usable()).toEqual(['a', 'b']);
  });

  it('keeps asking all when none answers', async () => {
    const { changes, health } = watch({ a: 'away', b: 'refuses' });
    await expect.poll(() => changes).toHaveLength(2);
    expect(health.usable()).toEqual(['a', 'b']);
  });

  it('does not let one failure decide', async () => {
    let calls = 0;
    const changes: string[] = [];
    const probe = async (): Promise<Health> => (++calls === 2 ? 'away' : 'usable');
    health = watchServers({ servers: ['a'], probe, onChange: (server) => changes.push(server), intervalMs: 5 });
    await expect.poll(() => calls).toBeGreaterThan(6);
    expect(changes).toEqual([]);
  });

  it('does not wait for a hanging server to look at the others', async () => {
    const changes: string[] = [];
    const hanging = new Promise<Health>((resolve) => {
      endHanging = () => resolve('usable');
    });
    health = watchServers({
      servers: ['hangs', 'down'],
      probe: (server) => (server === 'down' ? Promise.resolve('away') : hanging),
      onChange: (server) => changes.push(server),
      intervalMs: 5,
    });
    await expect.poll(() => changes).toEqual(['down']);
  });

  it('takes one that refuses us out as well, and says which of the two it is', async () => {
    const answers: Record<string, Health> = { a: 'usable', b: 'refuses' };
    const { changes, health } = watch(answers);
    await expect.poll(() => changes).toEqual(['b refuses']);
    expect(health.usable()).toEqual(['a']);
    answers['b'] = 'away';
    await expect.poll(() => changes).toEqual(['b refuses', 'b away']);
    expect(health.usable()).toEqual(['a']);
  });

  it('begins with what is known', async () => {
    const { changes, health } = watch({ a: 'usable', b: 'usable' }, { b: 'away' });
    expect(health.usable()).toEqual(['a']);
    await expect.poll(() => changes).toEqual(['b usable']);
    expect(health.usable()).toEqual(['a', 'b']);
  });
});
