// The supervisor's listening socket. It outlives the control plane, so that no restart rejects an upgrade.
import { chownSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { nginxWorkerUser } from '../../config/worker-user.ts';
import { listenUnder } from './listen-under.ts';

export interface HoldListener {
  close(): void;
}

/** Only nginx's worker user (and root) can connect. */
export async function listenForHeld(path: string, take: (socket: Socket) => void): Promise<HoldListener> {
  const server = createServer(take);
  const user = nginxWorkerUser();
  await listenUnder(path, server, (first) => {
    if (user !== null) chownSync(first, user.uid, user.gid);
  });
  return { close: () => void server.close() };
}
