// Further Prefect servers of this machine that other machines can reach: a back door, if they share the database.
import { readFileSync } from 'node:fs';
import { ok, type Verdict } from '../finding.ts';
import type { Probe, ProbeRequest } from '../outside/http-probe.ts';
import { isPrefect } from '../outside/other-addresses.ts';
import { fault, hint } from './codes.ts';

export interface BackDoorSubject {
  /** Ports of listeners that are not on loopback. */
  readonly ports: readonly number[];
  /** Ports of the gateway, and those that another check covers. */
  readonly except: readonly number[];
  readonly probe: (request: ProbeRequest) => Promise<Probe>;
}

/** A machine with more listeners than this runs more than Prefect. */
const MOST_PORTS = 200;

export async function checkBackDoors({ ports, except, probe }: BackDoorSubject): Promise<readonly Verdict[]> {
  const others = ports.filter((port) => !except.includes(port)).slice(0, MOST_PORTS);
  const found = await Promise.all(others.map((port) => checkPort(port, probe)));
  const problems = found.flat();
  return problems.length > 0 ? problems : [ok(`none of ${others.length} other open ports of this machine is a Prefect server`)];
}

async function checkPort(port: number, probe: BackDoorSubject['probe']): Promise<readonly Verdict[]> {
  const url = `http://127.0.0.1:${port}/api/admin/version`;
  const answer = await probe({ url, timeoutMs: 3_000 });
  if (!answer.ok || !isPrefect(answer)) return [];
  const what = `a Prefect server listens on port ${port} of every address of this machine`;
  return [answer.status === 200 ? fault('back-door-open', `${what}, without an auth string`) : hint('back-door-guarded', what)];
}

/** proc(5): local address, remote address, state. `0A` listens. */
const LISTENING = /^\s*\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /gm;

/** The listeners on all addresses, from /proc/net/tcp and /proc/net/tcp6. */
export function openPorts(tables: readonly string[] = ['/proc/net/tcp', '/proc/net/tcp6'].map(textOf)): readonly number[] {
  const ports = tables.flatMap((table) =>
    [...table.matchAll(LISTENING)].flatMap(([, address = '', port = '']) => (/^0+$/.test(address) ? [Number.parseInt(port, 16)] : [])),
  );
  return [...new Set(ports)];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // No IPv6, or no Linux.
  }
}
