// limits: how many requests may come from everyone, from a role or a principal, and to a service.
import { z } from 'zod';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import type { Limit } from '../config.ts';
import { type Complaint, checkedBy, says, withoutDuplicates } from '../schema/issues.ts';
import { count, rate } from '../schema/scalars.ts';
import { nearestName } from '../suggest.ts';
import type { Context } from './context.ts';

/** For every limit, nginx checks each request and needs a zone of shared memory. */
export const MOST_LIMITS = 32;

const DEFAULT_RATE = { perSecond: 200, burst: 400 };
const EVERYONE: Limit = { kind: 'everyone', name: '', rate: DEFAULT_RATE, concurrency: null };

/** The limit of everyone comes first. It has the default rate if it sets none. */
export function limitsSection(known: Pick<Context, 'services' | 'agents'>) {
  return z
    .array(wireLimit(known))
    .superRefine(...withoutDuplicates('for', (whose) => [`is a second limit for ${whose === '*' ? '"*"' : whose}`, 'Keep one of them.']))
    .refine((limits) => limits.length <= MOST_LIMITS, says(`has more than ${MOST_LIMITS} limits`, 'Limit roles instead of single principals.'))
    .transform((wire): readonly Limit[] => {
      const limits = wire.map(readLimit);
      const everyone = limits.find(({ kind }) => kind === 'everyone') ?? EVERYONE;
      return [{ ...everyone, rate: everyone.rate ?? DEFAULT_RATE }, ...limits.filter(({ kind }) => kind !== 'everyone')];
    })
    .prefault([])
    .describe('How fast requests may come: at most 32 limits, and every limit that fits a request counts it (docs/how-to/limits.md).');
}

function wireLimit(known: Pick<Context, 'services' | 'agents'>) {
  return z
    .strictObject({
      for: z
        .string()
        .regex(/^(?:\*|role:.+|principal:.+|service:.+)$/u, { error: 'must be "*", role:NAME, principal:ID or service:NAME', abort: true })
        .superRefine(checkedBy((whose) => unknownName(whose, known)))
        .describe('"*": each principal. role:NAME: each principal with this role. principal:ID: this one. service:NAME: all calls of this service together.'),
      rate: rate.optional().describe('Requests per second: 50/s, at most 999999/s. Default for "*": 200/s.'),
      burst: count.optional().describe('How many may come at once beside the first one. Default: twice the rate.'),
      concurrency: count.optional().describe('How many may be in progress at once.'),
    })
    .refine((wire) => wire.burst === undefined || wire.rate !== undefined, { ...says('needs a rate', 'Add rate, for example 50/s.'), path: ['burst'] })
    .refine(
      (wire) => wire.rate !== undefined || wire.burst !== undefined || wire.concurrency !== undefined,
      says('has no rate and no concurrency', 'Add rate: 50/s or concurrency: 20, or remove the limit.'),
    );
}

function readLimit({ for: whose, rate: perSecond, burst, concurrency }: z.output<ReturnType<typeof wireLimit>>): Limit {
  const { kind, name } = readFor(whose);
  const asNumber = Number.parseInt(perSecond ?? '', 10);
  return {
    kind,
    name,
    rate: perSecond === undefined ? null : { perSecond: asNumber, burst: burst ?? 2 * asNumber },
    concurrency: concurrency ?? null,
  };
}

function readFor(whose: string): Pick<Limit, 'kind' | 'name'> {
  const [, kind, name = ''] = /^(role|principal|service):(.+)$/u.exec(whose) ?? [];
  return { kind: kind === 'role' || kind === 'principal' || kind === 'service' ? kind : 'everyone', name };
}

/** Services or agents undefined: they are broken themselves, so their names are not checked. */
function unknownName(whose: string, { services, agents }: Pick<Context, 'services' | 'agents'>): Complaint | undefined {
  const { kind, name } = readFor(whose);
  if (kind === 'role') return unknownRole(name);
  if (kind === 'principal') return unknownPrincipal(name, agents);
  return kind === 'service' && services !== undefined ? unknownEntry(name, { kind: 'service', names: services }) : undefined;
}

function unknownRole(name: string): Complaint | undefined {
  if (BUILT_IN_ROLES.some((role) => role === name)) return undefined;
  return { message: `${name} is not a role`, remedy: `Write one of ${BUILT_IN_ROLES.join(', ')}.` };
}

/** The ids of records: people and workloads have their provider, service tokens, runs and agents a prefix. */
function unknownPrincipal(name: string, agents: Context['agents']): Complaint | undefined {
  const agent = /^agent:(.+)$/u.exec(name)?.[1];
  if (agent !== undefined) return agents && unknownEntry(agent, { kind: 'agent', names: agents.map((each) => each.name) });
  if (/^(?:token|run):.+$/u.test(name) || (/^.+@[a-z0-9-]+$/u.test(name) && !/^(?:user|group|claim):/.test(name))) return undefined;
  return {
    message: `${name} is not the id of a principal`,
    remedy: 'Write the id that lictor audit shows: principal:token:NAME, principal:agent:NAME or principal:NAME@IDP.',
  };
}

function unknownEntry(name: string, { kind, names }: { readonly kind: 'agent' | 'service'; readonly names: readonly string[] }): Complaint | undefined {
  if (names.includes(name)) return undefined;
  const nearest = nearestName(name, names);
  const remedy = nearest === undefined ? `Add it to ${kind}s, or correct the name.` : `Did you mean ${nearest}?`;
  return { message: `${name} is not ${kind === 'agent' ? 'an agent' : 'a service'} of this file`, remedy };
}
