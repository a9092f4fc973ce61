// limits -> nginx: zones that count requests, and directives that apply the limits after the decision.
import { createHash } from 'node:crypto';
import type { Limit } from '../../config/config.ts';
import type { Service } from '../../config/service.ts';
import { quoteVerbatim } from './quote.ts';

const LARGE = '16m';
/** nginx rejects a zone of less than eight memory pages. */
const ONE_KEY = '1m';

/** At http level: the requests that each limit counts, and their zones. nginx does not count an empty key. */
export function renderLimitZones(limits: readonly Limit[]): string {
  return limits.map((limit) => `${renderKeyMap(limit)}${renderZones(limit)}`).join('');
}

/** In each named location that forwards a request. The decision has set the variables. */
export function renderIdentityLimit(limits: readonly Limit[]): string {
  return limits
    .filter(({ kind }) => kind !== 'service')
    .map(renderUse)
    .join('');
}

/** In the locations of one service, in addition to the limits of the principal. */
export function renderServiceLimit(limits: readonly Limit[], { name }: Pick<Service, 'name'>): string {
  return limits
    .filter((limit) => limit.kind === 'service' && limit.name === name)
    .map(renderUse)
    .join('');
}

/** Beside each `auth_request`. Empty without a limit by role, so that nginx reads no header. */
export function renderLimitedRoles(limits: readonly Limit[]): string {
  return limits.some(({ kind }) => kind === 'role') ? 'auth_request_set $lictor_limited_roles $upstream_http_x_lictor_limited_roles;\n' : '';
}

function renderKeyMap(limit: Limit): string {
  const { kind, name } = limit;
  if (kind === 'everyone' || kind === 'service') return '';
  // An expression, because nginx ignores case in plain keys, and ids that differ in case are two principals.
  const [source, expression] =
    kind === 'role' ? ['$lictor_limited_roles', `(?:^|,)${name}(?:,|$)`] : ['$lictor_limit', `^${escaped(encodeURIComponent(name))}$`];
  return `map ${source} ${keyOf(limit)} {\n    ${quoteVerbatim(`~${expression}`)} $lictor_limit;\n    default "";\n}\n`;
}

function renderZones(limit: Limit): string {
  const { kind, rate, concurrency } = limit;
  const size = kind === 'everyone' || kind === 'role' ? LARGE : ONE_KEY;
  const requests = rate === null ? '' : `limit_req_zone ${keyOf(limit)} zone=lictor_rate_of_${idOf(limit)}:${size} rate=${rate.perSecond}r/s;\n`;
  return `${requests}${concurrency === null ? '' : `limit_conn_zone ${keyOf(limit)} zone=lictor_conn_of_${idOf(limit)}:${size};\n`}`;
}

function renderUse(limit: Limit): string {
  const { rate, concurrency } = limit;
  const requests = rate === null ? '' : `limit_req zone=lictor_rate_of_${idOf(limit)} burst=${rate.burst} nodelay;\n`;
  return `${requests}${concurrency === null ? '' : `limit_conn lictor_conn_of_${idOf(limit)} ${concurrency};\n`}`;
}

function keyOf(limit: Limit): string {
  if (limit.kind === 'everyone') return '$lictor_limit';
  return limit.kind === 'service' ? '$lictor_service' : `$lictor_limit_of_${idOf(limit)}`;
}

/** A zone continues to count after a reload. So its name comes from its limit, not from the position in the list. */
function idOf({ kind, name }: Limit): string {
  if (kind === 'everyone' || kind === 'role') return `${kind}${name === '' ? '' : `_${name}`}`;
  return `${kind}_${createHash('sha256').update(name).digest('hex').slice(0, 24)}`;
}

function escaped(text: string): string {
  return text.replaceAll(/[.*()]/g, String.raw`\$&`);
}
