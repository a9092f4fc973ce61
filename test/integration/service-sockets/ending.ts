// Sockets of services end with their right: each of these cuts one, and leaves another open.
import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { BegunRun } from '../../env/begun-runs.ts';
import { type Gateway, jsonLines, type Token } from '../../env/gateway.ts';
import { setState } from '../../env/polled.ts';
import { signalProcess, waitFor } from '../../env/process.ts';
import type { OpenSocket } from '../../env/socket.ts';
import type { SocketService } from '../../env/socket-service.ts';

export interface EndingParts {
  readonly gateway: () => Gateway;
  readonly service: () => SocketService;
  readonly open: (path: string, token?: string) => OpenSocket;
  readonly begun: (tag: string) => Promise<BegunRun>;
  readonly guest: () => Token | undefined;
  readonly records: (count: number, ...filters: readonly string[]) => Promise<readonly Record<string, unknown>[]>;
  readonly policies: (change: (text: string) => string) => void;
}

export function endingTests({ gateway, service, open, begun, guest, records, policies }: EndingParts): void {
  /** One that ends, beside one that stays. */
  const opened = async (token: string | undefined, path = '/live/v1/x') => {
    const [socket, other] = [open(path, token), open('/live/v1/other')];
    expect([await socket.opened, await other.opened]).toEqual([true, true]);
    return { socket, stays: () => expectOpen(other) };
  };
  const expectOpen = async (other: OpenSocket): Promise<void> => {
    const before = other.frames().length;
    other.send('still here');
    await waitFor(() => other.frames().length > before, { what: 'the answer on the socket that stays' });
    other.close();
    await other.ended;
  };
  const reloads = async (): Promise<number> => jsonLines(await gateway().lictorOk('audit', '--action', 'config.reload', '--json')).length;
  const reload = async (text: string): Promise<void> => {
    const before = await reloads();
    writeFileSync(gateway().configFile, text);
    signalProcess(gateway().pids().supervisor, 'SIGHUP');
    await waitFor(async () => (await reloads()) > before, { what: 'the outcome of the reload', timeoutMs: 60_000, everyMs: 100 });
  };

  // A run's token lives on for a minute: the whole file is tried meanwhile.
  let ofRun: OpenSocket;
  beforeAll(async () => {
    const { run, token } = await begun('team-a');
    ofRun = open('/sealed/run', token);
    expect(await ofRun.opened).toBe(true);
    await setState(gateway(), run, token, 'RUNNING');
    await setState(gateway(), run, token, 'COMPLETED');
  });

  describe('its end', () => {
    it('comes with the token, with the reason in its close frame and in its record', async () => {
      const leaver = await gateway().token('leaver', ['admin']);
      const { socket, stays } = await opened(leaver.secret);
      await gateway().lictorOk('token', 'revoke', 'leaver');
      expect(await socket.ended).toMatchObject({ code: 1008, reason: expect.stringContaining('credential-revoked') });
      await stays();
      const told = await records(2, '--principal', 'token:leaver');
      expect(told.map(({ decision, reason, status }) => [decision, reason, status])).toEqual(
        expect.arrayContaining([
          ['allow', 'credential-revoked', 101],
          ['deny', 'credential-revoked', 401],
        ]),
      );
    });

    it('comes with a lock', async () => {
      const { socket, stays } = await opened(guest()?.secret);
      await gateway().lictorOk('lock', 'token:guest', '--why', 'test');
      expect(await socket.ended).toMatchObject({ code: 1008, reason: expect.stringContaining('lock') });
      await stays();
      await gateway().lictorOk('unlock', 'token:guest');
    });

    it('comes with the time of a token', async () => {
      const short = await gateway().token('short', ['admin'], '--expires', '10s');
      const { socket, stays } = await opened(short.secret);
      expect(await socket.ended).toMatchObject({ code: 1008, reason: expect.stringContaining('credential-expired') });
      await stays();
    });

    it('comes with a policy that is taken back', async () => {
      const { socket, stays } = await opened(guest()?.secret);
      policies((text) => text.replace('token:guest', 'token:nobody'));
      await gateway().lictorOk('policy', 'apply', '--why', 'test');
      expect(await socket.ended).toMatchObject({ code: 1008, reason: expect.stringContaining('policy-default-deny') });
      await stays();
      policies((text) => text.replace('token:nobody', 'token:guest'));
      await gateway().lictorOk('policy', 'apply', '--why', 'test');
    });

    it('comes with a reload that changes its service, and not with another one', async () => {
      const good = readFileSync(gateway().configFile, 'utf8');
      const [socket, other] = [open('/live/v1/x', guest()?.secret), open('/sealed/x', guest()?.secret)];
      expect([await socket.opened, await other.opened]).toEqual([true, true]);
      await reload(stringify({ ...parse(good), forward_headers: ['x-other'] }));
      socket.send('after another reload');
      await waitFor(() => socket.frames().length === 2, { what: 'the answer after a reload that is about something else' });
      await reload(good.replace('timeout: 2s', 'timeout: 3s'));
      expect(await socket.ended).toMatchObject({ code: 1001, reason: expect.stringContaining('service-changed') });
      await expectOpen(other);
      await reload(good);
    });

    it('comes with the run', async () => {
      const stays = open('/sealed/x', guest()?.secret);
      expect(await stays.opened).toBe(true);
      expect(await ofRun.ended).toMatchObject({ code: 1008, reason: expect.stringContaining('run-token-ended') });
      await expectOpen(stays);
    });

    it('comes with the gateway, which says so', async () => {
      const socket = open('/sealed/x', guest()?.secret);
      expect(await socket.opened).toBe(true);
      await gateway().stop();
      expect(await socket.ended).toMatchObject({ code: 1001, reason: expect.stringContaining('gateway-restarts') });
      await gateway().up();
      expect(await records(1, '--reason', 'gateway-restarts')).toMatchObject([{ status: 101, principal: 'token:guest' }]);
    });

    it('comes for the service when its client goes', async () => {
      const { socket, stays } = await opened(guest()?.secret);
      const before = service().sockets.size;
      socket.close();
      await waitFor(() => service().sockets.size < before, { what: 'the socket of the service to close' });
      await stays();
    });
  });
}
