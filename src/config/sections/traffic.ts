// sessions, forward_headers, store: the small sections.
import { resolve } from 'node:path';
import type { Config } from '../config.ts';
import { parseDurationSeconds } from '../duration.ts';
import type { Keys, Report } from '../report.ts';
import type { WireConfig } from '../schema/index.ts';

/** The gateway sets or clears these itself, or they belong to one hop (RFC 9110 7.6.1). */
const OWN_HEADERS =
  /^(?:x-lictor-.*|x-forwarded-.*|forwarded|x-real-ip|x-request-id|prefect-automation-.*|x-original-.*|x-rewrite-.*|x-http-method.*|x-accel-.*)$/;
const HOP_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function readSessions(wire: WireConfig['sessions'], report: Report): Config['sessions'] {
  const sessions = { idleSeconds: parseDurationSeconds(wire.idle) ?? 0, absoluteSeconds: parseDurationSeconds(wire.absolute) ?? 0 };
  if (sessions.idleSeconds < 1) report(['sessions', 'idle'], 'is shorter than a second', 'Write 8h, for example.');
  if (sessions.absoluteSeconds < sessions.idleSeconds) report(['sessions', 'absolute'], 'is shorter than sessions.idle', 'Make it at least as long as idle.');
  return sessions;
}

export function readCliLife(wire: WireConfig['sessions'] | undefined, report: Report): number {
  const seconds = parseDurationSeconds(wire?.cli ?? '30d') ?? 0;
  if (seconds < 1) report(['sessions', 'cli'], 'is shorter than a second', 'Write 30d, for example.');
  return seconds;
}

/** In lower case: no client's, and no configuration's to set. */
export function isGatewaysOwn(header: string): boolean {
  return OWN_HEADERS.test(header) || HOP_HEADERS.has(header);
}

/** Lower case, without the gateway's own and hop-by-hop headers: those are reported. */
export function readForwardHeaders(names: readonly string[], keys: Keys, report: Report): readonly string[] {
  const lower = names.map((name) => name.toLowerCase());
  for (const [index, name] of lower.entries()) {
    if (isGatewaysOwn(name)) {
      report([...keys, index], `${name} is set by the gateway and never passed on`, 'Remove it.');
    }
  }
  return [...new Set(lower)];
}

/** Absolute path of the SQLite file; `sqlite:` with a relative path is below the state directory. */
export function readStore(store: string, stateDir: string, report: Report): string {
  const file = /^sqlite:(?!:)([^?#\p{Cc}]+)$/u.exec(store)?.[1];
  if (file === undefined || file.endsWith('/')) report(['store'], 'must be sqlite: and the path of a file', 'Write sqlite:lictor.db.');
  return resolve(stateDir, file ?? 'lictor.db');
}
