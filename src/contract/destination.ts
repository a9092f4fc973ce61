// The destination of a task behind the forward proxy, as decisions, records and the allow list name it. Pure.
import type { ReasonCode } from './reasons.ts';

/** The only action on external hosts. */
export const CONNECT_ACTION = 'services.connect';

export interface Destination {
  /** Lower case ASCII without a dot at the end; where `problem` is set, what was written, cut short. */
  readonly host: string;
  readonly port: number;
  /** Why it is invalid for every principal. */
  readonly problem: ReasonCode | null;
}

/** RFC 1123 labels, and the underscore that some hosts have; IDNA as its ASCII form alone. */
const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

/** Resolvers and URL parsers read these as IPv4 addresses: decimal, octal, hex, with fewer than four parts (WHATWG URL, "ends in a number"). */
const NUMBER_AT_END = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;

/** `problem` null: a name that may be resolved. An IP address is no name. */
export function readHost(text: string): Pick<Destination, 'host' | 'problem'> {
  const host = text.toLowerCase().replace(/\.$/, '');
  if (text.startsWith('[') || text.includes(':') || NUMBER_AT_END.test(host)) return { host: printable(text), problem: 'host-literal' };
  return NAME.test(host) ? { host, problem: null } : { host: printable(text), problem: 'request-invalid' };
}

/** RFC 9112 3.2.3: `host:port`, and nothing else. */
export function readAuthority(target: string): Destination {
  const match = /^(\[[^\]@/]*\]|[^@/:?#[\]]*):([0-9]{1,5})$/.exec(target);
  if (match === null) return { host: printable(target), port: 0, problem: 'request-invalid' };
  const { host, problem } = readHost(match[1] ?? '');
  const port = Number(match[2]);
  return { host, port, problem: problem ?? (port === TLS_PORT ? null : 'host-port') };
}

export interface PlainTarget extends Destination {
  /** Path and query, as they were written. */
  readonly path: string;
}

/** RFC 9112 3.2.2: absolute form of plain http, without user information or a fragment. */
export function readAbsolute(target: string): PlainTarget {
  const match = /^http:\/\/(\[[^\]@/?#]*\]|[^@/:?#[\]\\]*)(?::([0-9]{1,5}))?((?:[/?][!-"$-~]*)?)$/i.exec(target);
  if (match === null) {
    const secure = /^https:\/\//i.test(target);
    return { host: printable(target.replace(/[?#].*$/, '')), port: 0, path: '', problem: secure ? 'host-port' : 'request-invalid' };
  }
  const { host, problem } = readHost(match[1] ?? '');
  const port = Number(match[2] ?? PLAIN_PORT);
  const rest = match[3] ?? '';
  return { host, port, path: rest.startsWith('/') ? rest : `/${rest}`, problem: problem ?? (port === PLAIN_PORT ? null : 'host-port') };
}

export const TLS_PORT = 443;
export const PLAIN_PORT = 80;

/** `*.x` is everything below x, and not x itself. Patterns are as `readPattern` gives them. */
export function isListed(patterns: readonly string[], host: string): boolean {
  return patterns.some((pattern) => (pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) && host.length >= pattern.length : host === pattern));
}

/** An entry of the allow list in the form for comparison. Undefined: not valid. */
export function readPattern(text: string): string | undefined {
  const below = text.startsWith('*.');
  const { host, problem } = readHost(below ? text.slice(2) : text);
  // A single label is a name of this network, and `*.com` matches too many hosts.
  return problem === null && host.includes('.') ? `${below ? '*.' : ''}${host}` : undefined;
}

/** The request may contain a credential before an `@`. No record has it. */
function printable(text: string): string {
  return text
    .replace(/^.*@/, '')
    .replaceAll(/[^!-~]/g, '?')
    .slice(0, 253);
}
