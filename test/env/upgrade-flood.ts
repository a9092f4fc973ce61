// Asks for sockets without a credential and leaves at once: `upgrade-flood.ts PORT PATH PER_SECOND ADDRESSES PROTOCOL`, until it is ended.
import { connect } from 'node:net';

const [port = '', path = '', perSecond = '', addresses = '', protocol = ''] = process.argv.slice(2);
const TICK_MS = 10;
/** A flood that had to wait for a core must not make up for it by thousands of connections that say nothing: that is another attack. */
const MOST_OPEN = 500;
const offer = protocol === '' ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
const UPGRADE = `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${offer}\r\n`;

const began = performance.now();
let sent = 0;
let open = 0;
setInterval(() => {
  const due = ((performance.now() - began) / 1000) * Number(perSecond);
  for (; sent < due && open < MOST_OPEN; sent += 1) askAndLeave(sent);
}, TICK_MS);
process.on('SIGTERM', () => {
  process.stdout.write(`asked ${sent} times in ${Math.round(performance.now() - began)} ms\n`);
  process.exit(0);
});

function askAndLeave(index: number): void {
  const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress: `127.0.0.${1 + (index % Number(addresses))}` });
  open += 1;
  socket.once('close', () => {
    open -= 1;
  });
  socket.on('error', () => socket.destroy());
  socket.once('connect', () => socket.write(UPGRADE, () => socket.destroy()));
}
