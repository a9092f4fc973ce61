// The form for a new token -> the body of the request, or what is wrong with it.

export interface TokenForm {
  readonly name: string;
  readonly roles: readonly Role[];
  /** `tags=team-a,team-b work_pools=pool-a`, as records and lists show a scope. */
  readonly scope: string;
  /** Networks, separated by commas or spaces. */
  readonly networks: string;
  /** `90d`; empty: never. */
  readonly expires: string;
}

export const ROLES = ['worker', 'viewer', 'operator', 'deployer', 'run', 'agent', 'auditor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const EMPTY_FORM: TokenForm = { name: '', roles: [], scope: '', networks: '', expires: '90d' };

/** A draft of the browser's storage: of another version, or damaged, it counts as empty. */
export function formOf(text: string): TokenForm {
  try {
    const draft: Partial<TokenForm> = JSON.parse(text);
    const { name, scope, networks, expires, roles } = { ...EMPTY_FORM, ...draft };
    return { name: `${name}`, scope: `${scope}`, networks: `${networks}`, expires: `${expires}`, roles: ROLES.filter((role) => roles.includes(role)) };
  } catch {
    return EMPTY_FORM;
  }
}

const SCOPE_KEYS = ['tags', 'work_pools', 'deployments', 'flows', 'variables', 'blocks', 'automations', 'concurrency_limits'] as const;
type ScopeBody = { [key in (typeof SCOPE_KEYS)[number]]?: string[] } & { own?: boolean };

/** A problem for each field that has one. */
export type FormProblems = Partial<Record<keyof TokenForm, string>>;

export function problemsOf({ name, expires, scope }: TokenForm): FormProblems {
  return {
    ...(!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name) && { name: 'Letters, digits, dot, dash and underscore, at most 64.' }),
    ...(expires !== '' && !/^[1-9][0-9]{0,9}(?:s|m|h|d)$/.test(expires) && { expires: 'A whole number and a unit: 12h or 90d. Empty: it never ends.' }),
    ...(scopeBody(scope) === undefined && { scope: `Write KEY=VALUE with one of ${SCOPE_KEYS.join(', ')}, or own.` }),
  };
}

export function bodyOf({ name, roles, scope, networks, expires }: TokenForm) {
  const cidrs = networks.split(/[\s,]+/).filter((each) => each !== '');
  return { name, roles: [...roles], scope: scopeBody(scope) ?? null, cidrs, expires: expires === '' ? null : expires };
}

/** Null: on everything. Undefined: it cannot be read. */
function scopeBody(text: string): ScopeBody | null | undefined {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0) return null;
  const scope: ScopeBody = {};
  for (const word of words) {
    if (word === 'own') {
      scope.own = true;
      continue;
    }
    const [name = '', values = ''] = splitOnce(word);
    const key = SCOPE_KEYS.find((each) => each === name || each === `${name}s`);
    if (key === undefined || values === '') return undefined;
    scope[key] = [...(scope[key] ?? []), ...values.split(',').filter((value) => value !== '')];
  }
  return scope;
}

function splitOnce(word: string): readonly string[] {
  const at = word.indexOf('=');
  return at === -1 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}
