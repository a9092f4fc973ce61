// limits: how many requests come from everyone, from a role or a principal, and to a service.
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import type { Limit } from '../config.ts';
import type { ProblemList } from '../report.ts';
import type { WireSections } from '../schema/index.ts';
import { nearestName } from '../suggest.ts';

type WireLimit = NonNullable<WireSections['limits']>[number];

/** Every limit costs nginx a look at each request, and a zone of shared memory. */
export const MOST_LIMITS = 32;

const DEFAULT_RATE = { perSecond: 200, burst: 400 };
const EVERYONE: Limit = { kind: 'everyone', name: '', rate: DEFAULT_RATE, concurrency: null };

/** Everyone's comes first. Without a rate of its own it has the default one. */
export function readLimits(wire: WireSections, problems: ProblemList): readonly Limit[] {
  const limits = wire.limits ?? [];
  if (limits.length > MOST_LIMITS) problems.report(['limits'], `has more than ${MOST_LIMITS} limits`, 'Limit roles instead of single principals.');
  const read = limits.map((limit, index) => {
    checkLimit(limit, { index, wire }, problems);
    return readLimit(limit);
  });
  const everyone = read.find(({ kind }) => kind === 'everyone') ?? EVERYONE;
  return [{ ...everyone, rate: everyone.rate ?? DEFAULT_RATE }, ...read.filter(({ kind }) => kind !== 'everyone')];
}

function readLimit({ for: whose, rate, burst, concurrency }: WireLimit): Limit {
  const [, kind, name = ''] = /^(role|principal|service):(.+)$/u.exec(whose) ?? [];
  const perSecond = Number.parseInt(rate ?? '', 10);
  return {
    kind: kind === 'role' || kind === 'principal' || kind === 'service' ? kind : 'everyone',
    name,
    rate: rate === undefined ? null : { perSecond, burst: burst ?? 2 * perSecond },
    concurrency: concurrency ?? null,
  };
}

interface Place {
  readonly index: number;
  readonly wire: WireSections;
}

function checkLimit(limit: WireLimit, { index, wire }: Place, problems: ProblemList): void {
  const { report } = problems;
  const isReported = problems.concerns(['limits', index]);
  const { kind, name } = readLimit(limit);
  if ((wire.limits ?? []).findIndex((other) => other.for === limit.for) < index)
    report(['limits', index], `is a second limit for ${limit.for === '*' ? '"*"' : limit.for}`, 'Keep one of them.');
  if (limit.burst !== undefined && limit.rate === undefined && !isReported) report(['limits', index, 'burst'], 'needs a rate', 'Add rate, for example 50/s.');
  if (limit.rate === undefined && limit.concurrency === undefined && !isReported)
    report(['limits', index], 'has no rate and no concurrency', 'Add rate: 50/s or concurrency: 20, or remove the limit.');
  const unknown = unknownName(kind, name, problems.concerns(['services']) ? undefined : wire);
  if (unknown !== null) report(['limits', index, 'for'], ...unknown);
}

/** What is wrong, and what to do. */
type Unknown = readonly [message: string, remedy: string] | null;

/** `wire` undefined: services are broken themselves, so their names are not checked. */
function unknownName(kind: Limit['kind'], name: string, wire: WireSections | undefined): Unknown {
  if (kind === 'role') return unknownRole(name);
  if (kind === 'principal') return unknownPrincipal(name);
  return kind === 'service' && wire !== undefined ? unknownService(name, wire) : null;
}

function unknownRole(name: string): Unknown {
  return BUILT_IN_ROLES.some((role) => role === name) ? null : [`${name} is not a role`, `Write one of ${BUILT_IN_ROLES.join(', ')}.`];
}

/** The ids of records: people and workloads have their provider, service tokens and runs a prefix. */
function unknownPrincipal(name: string): Unknown {
  if (/^(?:token|run):.+$/u.test(name) || (/^.+@[a-z0-9-]+$/u.test(name) && !/^(?:user|group|claim):/.test(name))) return null;
  return [`${name} is not the id of a principal`, 'Write the id that lictor audit shows: principal:token:NAME or principal:NAME@IDP.'];
}

function unknownService(name: string, { services = [] }: WireSections): Unknown {
  const names = services.map((service) => service.name);
  if (names.includes(name)) return null;
  const nearest = nearestName(name, names);
  return [`${name} is not a service of this file`, nearest === undefined ? 'Add it to services, or correct the name.' : `Did you mean ${nearest}?`];
}
