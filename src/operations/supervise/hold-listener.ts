// The supervisor's listening socket. It outlives the control plane, so that no restart rejects an upgrade.
import { chmodSync, chownSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { nginxWorkerUser } from '../../config/worker-user.ts';

const BACKLOG = 1024;

export interface HoldListener {
  close(): void;
}

/** Only nginx's worker user (and root) can connect. */
export async function listenForHeld(path: string, take: (socket: Socket) => void): Promise<HoldListener> {
  rmSync(path, { force: true });
  const server = createServer(take);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog: BACKLOG }, resolve);
  });
  chmodSync(path, 0o600);
  const user = nginxWorkerUser();
  if (user !== null) chownSync(path, user.uid, user.gid);
  return {
    close: () => {
      server.close();
      rmSync(path, { force: true });
    },
  };
}
