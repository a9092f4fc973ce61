// Which server of a service gets a call: by weight, by what is under way, by run. By counts.
import { expect, it } from 'vitest';
import type { BegunRun } from '../../env/begun-runs.ts';
import type { Gateway } from '../../env/gateway.ts';
import { waitFor } from '../../env/process.ts';
import type { ServiceProcess } from '../../env/service-process.ts';
import { expectRefusal } from '../attacks/harness.ts';

export interface BalanceRoom {
  readonly gateway: Gateway;
  readonly token: string;
  /** Of the services `canary` (nine to one, the first two), `fewest`, `by-run`, and `spare` (the first; the others are backups, and all have health checks). */
  readonly servers: readonly ServiceProcess[];
  readonly begun: (tag: string) => Promise<BegunRun>;
}

export function balanceTests(room: () => BalanceRoom): void {
  const call = (path: string, token = room().token) => room().gateway.fetch(`/.lictor/svc/${path}`, { token });
  /** Who answers so many calls, one after the other. */
  async function answers(service: string, count: number, token?: string): Promise<readonly string[]> {
    const names: string[] = [];
    while (names.length < count) {
      const response = await call(`${service}/x`, token);
      expect(response.status).toBe(200);
      names.push(await response.text());
    }
    return names;
  }
  /** The same, where some may be refused. */
  async function answersOf(service: string, count: number): Promise<readonly string[]> {
    const names: string[] = [];
    while (names.length < count) names.push(await (await call(`${service}/x`)).text());
    return names;
  }
  const others = (service: string, count: number, name: string, token?: string) =>
    answers(service, count, token).then((names) => names.filter((other) => other !== name));

  it('by weight: a canary of one in ten gets one call in ten', async () => {
    const names = await answers('canary', 100);
    const canary = names.filter((name) => name === room().servers[1]?.name).length;
    // Each of nginx's workers counts by itself.
    expect(Math.abs(canary - 10)).toBeLessThanOrEqual(room().gateway.pids().workers.length);
  });

  it('by what is under way: a server that still answers a call gets none while others are free', async () => {
    const held = await call('fewest/hold');
    const reader = held.body?.pipeThrough(new TextDecoderStream()).getReader();
    const busy = (await reader?.read())?.value;
    expect(room().servers.map(({ name }) => name)).toContain(busy);
    expect(await others('fewest', 12, busy ?? '')).toHaveLength(12);
    await reader?.cancel();
    await waitFor(async () => (await others('fewest', 12, busy ?? '')).length < 12, { what: 'the server to be asked again', timeoutMs: 30_000 });
  });

  it('by who is a spare: no call before the first is away, each call at once after that, bodies too, and none when it is back', async () => {
    const [first, ...spares] = room().servers;
    const { gateway, token } = room();
    const write = async () => (await gateway.fetch('/.lictor/svc/spare/x', { method: 'POST', token, body: 'x' })).text();
    expect(new Set(await answers('spare', 12))).toEqual(new Set([first?.name]));
    await first?.kill();
    const names = [...(await answers('spare', 12)), await write(), await write()];
    expect(names.filter((name) => !spares.some((spare) => spare.name === name))).toEqual([]);
    await Promise.all(spares.map((spare) => spare.kill()));
    await expectRefusal(await call('spare/x'), 503, 'service-unavailable');
    await Promise.all(room().servers.map((server) => server.resume()));
    const back = async () => (await answersOf('spare', 12)).every((name) => name === first?.name);
    await waitFor(back, { what: 'the first to have all calls again', timeoutMs: 30_000 });
  });

  it('by run: one keeps its server, runs are spread over all, and while its server is away it goes elsewhere', async () => {
    const servers = new Map<string, string>();
    while (new Set(servers.values()).size < 2 && servers.size < 12) {
      const { token } = await room().begun('team-a');
      const [first = '', ...more] = await answers('by-run', 8, token);
      expect(more.filter((name) => name !== first)).toEqual([]);
      servers.set(token, first);
    }
    expect(new Set(servers.values()).size).toBe(2);
    const [[token, its] = ['', '']] = servers;
    const server = room().servers.find(({ name }) => name === its);
    await server?.kill();
    expect(await others('by-run', 4, its, token)).toHaveLength(4);
    await server?.resume();
    await waitFor(async () => (await others('by-run', 4, its, token)).length === 0, { what: 'the run to have its server back', timeoutMs: 30_000 });
  });
}
