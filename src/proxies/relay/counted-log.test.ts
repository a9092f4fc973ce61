import { beforeEach, expect, it } from 'vitest';
import { type CountedLog, createCountedLog } from './counted-log.ts';

const LIMITS = { perAddress: 3, inAll: 6, apart: 4, named: 2 };

let lines: string[];
let now: number;
let log: CountedLog;
beforeEach(() => {
  lines = [];
  now = 0;
  const write = (fields: object, message: string) => lines.push(`${message} ${Object.values(fields).join(' ')}`);
  log = createCountedLog({ warn: write }, () => now, LIMITS);
});

function refuse(times: number, address: string, code = 'credential-missing'): void {
  for (let index = 0; index < times; index += 1) log.warn({ address, code }, 'socket refused');
}

/** What is said when the minute is over. */
function said(): readonly string[] {
  lines = [];
  now += 60_000;
  log.flush();
  return lines;
}

it('writes a bounded number of lines for an address in a minute, and counts the others', () => {
  refuse(29_000, '192.0.2.1');
  expect(lines).toEqual(Array.from({ length: 3 }, () => 'socket refused 192.0.2.1 credential-missing'));
  expect(said()).toEqual(['more sockets were refused 192.0.2.1 credential-missing 28997']);
  expect(said()).toEqual([]);
  refuse(1, '192.0.2.1');
  expect(lines).toEqual(['socket refused 192.0.2.1 credential-missing']);
});

it('reports the counts before the next line of a later minute', () => {
  refuse(4, '192.0.2.1');
  lines = [];
  now = 60_000;
  refuse(1, '192.0.2.2');
  expect(lines).toEqual(['more sockets were refused 192.0.2.1 credential-missing 1', 'socket refused 192.0.2.2 credential-missing']);
});

it('leaves room for others, and for other reasons', () => {
  refuse(100, '192.0.2.1');
  refuse(1, '192.0.2.2');
  refuse(1, '192.0.2.1', 'credential-revoked');
  expect(lines.slice(3)).toEqual(['socket refused 192.0.2.2 credential-missing', 'socket refused 192.0.2.1 credential-revoked']);
});

it('has a bound for all addresses, which share a count and a line beyond it; a /64 is one', () => {
  for (let host = 1; host <= 50; host += 1) refuse(2, `192.0.2.${host}`);
  refuse(3, '2001:db8::1');
  expect(lines).toHaveLength(6);
  const summary = said();
  expect(summary[0]).toBe('more sockets were refused * credential-missing 95');
  expect(summary).toHaveLength(2);
  for (let host = 1; host <= 8; host += 1) refuse(1, `2001:db8::${host}`);
  expect(said()).toEqual(['more sockets were refused 2001:db8:0:0::/64 credential-missing 5']);
});

it('passes every line that is not about a client', () => {
  for (let times = 0; times < 30; times += 1) log.warn({ error: 'disk full' }, 'a socket could not be recorded');
  expect(lines).toHaveLength(30);
});
