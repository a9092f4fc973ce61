// Which server a socket goes to: by weight, past those that are out, to the backup last.
import { describe, expect, it } from 'vitest';
import { waitFor } from '../../env/process.ts';
import type { OpenSocket } from '../../env/socket.ts';
import type { SocketService } from '../../env/socket-service.ts';

export interface BalanceParts {
  /** Weights 2 and 1, and a backup. */
  readonly three: () => readonly SocketService[];
  readonly open: (path: string) => OpenSocket;
}

export function balanceTests({ three, open }: BalanceParts): void {
  /** Who answers the next sockets, which are closed again. */
  const answering = async (path: string, count: number): Promise<readonly string[]> => {
    const names: string[] = [];
    for (let opened = 0; opened < count; opened += 1) {
      const socket = open(path);
      expect(await socket.opened).toBe(true);
      await waitFor(() => socket.frames().length > 0, { what: 'the first frame' });
      names.push(socket.frames()[0]?.replace('hello of ', '') ?? '');
      socket.close();
    }
    return names.toSorted();
  };

  describe('several servers', () => {
    it('have sockets by their weight', async () => {
      expect(await answering('/three/x', 6)).toEqual(['green', 'green', 'red', 'red', 'red', 'red']);
      expect(await answering('/three-plain/x', 3)).toEqual(['green', 'red', 'red']);
    });

    it('are passed over while their health says so, come back, and leave the rest to the backup', async () => {
      const [red, green] = three();
      const allFrom = (name: string) => async () => (await answering('/three/x', 3)).every((other) => other === name);
      Object.assign(red ?? {}, { status: 500 });
      await waitFor(allFrom('green'), { what: 'all sockets at the healthy one', timeoutMs: 60_000 });
      // A service without health checks works as before.
      expect(await answering('/three-plain/x', 3)).toEqual(['green', 'red', 'red']);
      Object.assign(red ?? {}, { status: 200 });
      await waitFor(async () => (await answering('/three/x', 3)).includes('red'), { what: 'the server that is back', timeoutMs: 60_000 });
      await Promise.all([red?.close(), green?.close()]);
      await waitFor(allFrom('blue'), { what: 'all sockets at the backup', timeoutMs: 60_000 });
      expect(await answering('/three-plain/x', 2)).toEqual(['blue', 'blue']);
    });
  });
}
