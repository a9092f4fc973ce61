// Forwards bytes both ways between two ends. A slow end pauses reading from the other.
import type { Socket } from 'node:net';

export interface TunnelEnds {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Data of an end from before the join. */
  readonly fromClient: Buffer;
  readonly fromUpstream?: Buffer;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  readonly onIdle: () => void;
  /** Once, when the upstream is closed. `bytes`: of both directions. */
  readonly onClosed: (bytes: number) => void;
}

/** A half-closed tunnel is still open in the other direction. */
export function joinTunnel({ client, upstream, fromClient, fromUpstream, idleMs, onIdle, onClosed }: TunnelEnds): void {
  // Bytes in one direction keep both ends open: a long download sends nothing.
  const silence = setTimeout(onIdle, idleMs);
  let bytes = fromClient.length + (fromUpstream?.length ?? 0);
  const heard = (chunk: Buffer): void => {
    bytes += chunk.length;
    silence.refresh();
  };
  client.on('data', heard);
  upstream.on('data', heard);
  if (fromClient.length > 0) upstream.write(fromClient);
  if (fromUpstream !== undefined && fromUpstream.length > 0) client.write(fromUpstream);
  client.pipe(upstream);
  upstream.pipe(client);
  client.once('close', () => upstream.destroy());
  upstream.once('close', () => {
    clearTimeout(silence);
    // Received data is delivered first.
    client.destroySoon();
    onClosed(bytes);
  });
  // One of the two may have ended while the other was connecting.
  if (client.destroyed || upstream.destroyed) {
    client.destroy();
    upstream.destroy();
  }
}
