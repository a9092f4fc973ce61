import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { portHolder } from './port-holder.ts';

let proc: string;
beforeEach(() => {
  proc = mkdtempSync(join(tmpdir(), 'lictor-proc-'));
  mkdirSync(join(proc, 'net'));
});
afterEach(() => rmSync(proc, { recursive: true }));

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const row = (address: string, state: string, inode: number): string =>
  `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`;

function holds(pid: string, name: string, inode: number): void {
  mkdirSync(join(proc, pid, 'fd'), { recursive: true });
  symlinkSync(`/usr/bin/${name}`, join(proc, pid, 'exe'));
  symlinkSync('/dev/null', join(proc, pid, 'fd/0'));
  symlinkSync(`socket:[${inode}]`, join(proc, pid, 'fd/3'));
}

describe('the process that holds a port', () => {
  it('names a real one: this process', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    expect(portHolder(typeof address === 'object' ? (address?.port ?? 0) : 0)).toBe(` by "node" (process ${process.pid})`);
    server.close();
  });

  it('finds the listener of IPv6 too, and no connection and no other port', () => {
    writeFileSync(join(proc, 'net/tcp'), `${HEAD}${row('0100007F:20FB', '01', 10)}${row('00000000:120FB', '0A', 12)}`);
    writeFileSync(join(proc, 'net/tcp6'), `${HEAD}${row('00000000000000000000000000000000:20FB', '0A', 11)}`);
    holds('7', 'client', 10);
    holds('8', 'caddy "2"', 11);
    expect(portHolder(8443, proc)).toBe(' by "caddy \\"2\\"" (process 8)');
    expect(portHolder(8444, proc)).toBe('');
  });

  it('says that the process is not visible', () => {
    writeFileSync(join(proc, 'net/tcp'), `${HEAD}${row('00000000:20FB', '0A', 11)}`);
    holds('7', 'client', 10);
    expect(portHolder(8443, proc)).toContain('another container');
  });

  it('says nothing where there is no such table', () => expect(portHolder(8443, join(proc, 'none'))).toBe(''));
});
