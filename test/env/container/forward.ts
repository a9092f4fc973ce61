// `node forward.ts FROM TO [FROM TO...]`: passes connections on, from an address or socket to another one. A socket in the file system leads out of a network namespace.
import { connect, createServer, type Server } from 'node:net';

export async function forward(from: string, to: string): Promise<Server> {
  const server = createServer((one) => {
    const other = connect(placeOf(to));
    one.pipe(other).pipe(one);
    const end = (): void => {
      one.destroy();
      other.destroy();
    };
    for (const socket of [one, other]) socket.on('error', end);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(placeOf(from), resolve);
  });
  return server;
}

function placeOf(text: string) {
  if (text.startsWith('/')) return { path: text };
  const colon = text.lastIndexOf(':');
  return { host: text.slice(0, colon), port: Number(text.slice(colon + 1)) };
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  for (let at = 0; at < words.length; at += 2) await forward(words[at] ?? '', words[at + 1] ?? '');
  console.log('listening');
}
