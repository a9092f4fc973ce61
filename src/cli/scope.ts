// `--scope tag=team-a --scope own --pool P` -> Scope.
import { readScope, scopeProblem, type WireScope } from '../config/scope.ts';
import type { SCOPE_KEYS, Scope } from '../contract/scope.ts';
import { UsageError } from './errors.ts';

/** Each flag has one value, so the keys are singular. The plural keys of lictor.yaml also work. */
const NAMES = {
  tag: 'tags',
  work_pool: 'work_pools',
  deployment: 'deployments',
  flow: 'flows',
  variable: 'variables',
  block: 'blocks',
  automation: 'automations',
  concurrency_limit: 'concurrency_limits',
} as const satisfies Record<string, keyof typeof SCOPE_KEYS>;

export const SCOPE_HELP = 'on what alone the role holds: tag=T, work_pool=P, deployment=FLOW/NAME, flow=F, variable=V, block=B, ... or own; repeatable';

/** Collects a repeatable --scope. */
export function collectScope(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** Null: no flag was given. Throws UsageError for an invalid scope. */
export function scopeOf({ scope: given = [], pool }: { readonly scope?: readonly string[]; readonly pool?: readonly string[] }): Scope | null {
  if (given.length === 0 && pool === undefined) return null;
  const wire: { -readonly [key in keyof typeof SCOPE_KEYS]?: string[] } = {};
  for (const text of [...given.filter((word) => word !== 'own'), ...(pool ?? []).map((name) => `work_pool=${name}`)]) {
    const at = text.indexOf('=');
    const key = keyOf(text.slice(0, Math.max(at, 0)));
    if (key === undefined || at === text.length - 1) {
      throw new UsageError(`--scope ${text}: write KEY=VALUE with one of ${Object.keys(NAMES).join(', ')}, or own. Example: --scope tag=team-a`);
    }
    wire[key] = [...(wire[key] ?? []), text.slice(at + 1)];
  }
  const scope = readScope({ ...wire, own: given.includes('own') } satisfies WireScope);
  const problem = scopeProblem(scope);
  if (problem !== undefined) throw new UsageError(`--scope: ${problem.message}. ${problem.remedy}`);
  return scope;
}

function keyOf(name: string): keyof typeof SCOPE_KEYS | undefined {
  const entry = Object.entries(NAMES).find(([singular, plural]) => name === singular || name === plural);
  return entry?.[1];
}
