// Parses a scope of lictor.yaml or of the command line into a Scope, or reports its problem.
import { NOWHERE, SCOPE_KEYS, type Scope, type ScopeList } from '../contract/scope.ts';

export type WireScope = { readonly [key in keyof typeof SCOPE_KEYS]?: readonly string[] | undefined } & { readonly own?: boolean | undefined };

export function readScope(wire: WireScope): Scope {
  const scope: { -readonly [key in keyof Scope]: Scope[key] } = { ...NOWHERE, own: wire.own ?? false };
  for (const [name, key] of WIRE_KEYS) scope[key] = wire[name] ?? null;
  return scope;
}

/** `tags=team-a,team-b own`, as `scopeText` writes it; undefined: a word is no key of a scope. */
export function parseScopeText(text: string): Scope | undefined {
  const words = text.trim().split(/\s+/);
  const pairs = words.filter((word) => word !== 'own').map((word) => /^([a-z_]+)=(.+)$/.exec(word)?.slice(1) ?? []);
  if (pairs.some(([name]) => !WIRE_KEYS.some(([known]) => known === name))) return undefined;
  return readScope({ ...Object.fromEntries(pairs.map(([name = '', values = '']) => [name, values.split(',')])), own: words.includes('own') });
}

/** The problem with its remedy; undefined: none. */
export function scopeProblem(scope: Scope): { readonly message: string; readonly remedy: string } | undefined {
  const lists = WIRE_KEYS.map(([name, key]) => ({ name, key, values: scope[key] }));
  if (!scope.own && lists.every(({ values }) => values === null)) {
    return {
      message: 'covers nothing',
      remedy: `Give at least one of ${WIRE_KEYS.map(([name]) => name).join(', ')}, or own; without a scope a role holds on everything.`,
    };
  }
  const empty = lists.find(({ values }) => values?.length === 0);
  if (empty !== undefined) return { message: `${empty.name} is an empty list, so nothing is covered`, remedy: 'Name something, or leave the key out.' };
  for (const { name, key, values } of lists) {
    const bad = EXACT.includes(key) ? undefined : values?.find((value) => value.slice(0, -1).includes('*'));
    if (bad !== undefined) return { message: `${name}: ${bad} has a * before its end`, remedy: 'A * stands at the end, for "starts with".' };
  }
  const flat = scope.deployments?.find((value) => value !== '*' && !value.includes('/'));
  if (flat !== undefined)
    return { message: `deployments: ${flat} is no FLOW/NAME`, remedy: `Write ${flat.replace(/\*$/, '')}/* for all deployments of a flow.` };
  return undefined;
}

const WIRE_KEYS = Object.entries(SCOPE_KEYS).map(([name, key]) => [name as keyof typeof SCOPE_KEYS, key] as const);

/** Compared exactly: `*` has no special meaning in these values. */
const EXACT: readonly ScopeList[] = ['tags', 'workPools'];
