// Issuers that give a token with any audience to everybody in the world: without a rule the audience alone would open the door.

/** Text that no wildcard can widen. */
const WHOLE = /^[^*]+$/;
/** An owner's whole name: `acme/*`, and not `acme*`, which is `acme-evil/x` as well. */
const OWNED = /^[^*/]+\/|^[^*]+$/;
const OF_ORGANIZATION = /^organization:[^*:]+:/;

/**
 * The OpenID issuers of services that anybody may have an account with, and what of a token says whose it is. Everything else is the caller's to choose,
 * everybody's, or may come from anywhere: `actor` is whoever starred a stranger's repository, `job_workflow_ref` a workflow that everybody may call.
 */
const NAMING: ReadonlyMap<string, Readonly<Record<string, RegExp>>> = new Map([
  [
    'https://token.actions.githubusercontent.com',
    {
      ...{ repository: OWNED, repository_id: WHOLE, repository_owner: WHOLE, repository_owner_id: WHOLE, enterprise: WHOLE, enterprise_id: WHOLE },
      // What it begins with is the repository's to choose, but for these, which GitHub fills in.
      sub: /^repo:[^*/]+\/|^repository_owner:[^*:]+(?::|$)|^repository(?:_owner)?_id:\d+(?::|$)/,
    },
  ],
  ['https://gitlab.com', { project_path: OWNED, project_id: WHOLE, namespace_path: OWNED, namespace_id: WHOLE, sub: /^project_path:[^*/]+\// }],
  // `azp` of a person is the application that it logged in by, as gcloud, which everybody has; of a service account it is that.
  ['https://accounts.google.com', { sub: WHOLE, email: WHOLE, hd: WHOLE, azp: /^\d{21}$/ }],
  ['https://agent.buildkite.com', { organization_slug: WHOLE, organization_id: WHOLE, pipeline_id: WHOLE, sub: OF_ORGANIZATION }],
  [
    'https://app.terraform.io',
    {
      ...{ terraform_organization_id: WHOLE, terraform_organization_name: WHOLE, terraform_project_id: WHOLE, terraform_workspace_id: WHOLE },
      ...{ terraform_full_workspace: OF_ORGANIZATION, sub: OF_ORGANIZATION },
    },
  ],
]);

/** The claims of which `require` must fix one, since without it everybody in the world meets it. Undefined: it does, or the issuer serves nobody but its owner. */
export function missingRules(issuer: string, require: Readonly<Record<string, string>>): readonly string[] | undefined {
  const naming = namingOf(issuer);
  if (naming === undefined || Object.entries(require).some(([path, pattern]) => Object.hasOwn(naming, path) && naming[path]?.test(pattern) === true))
    return undefined;
  return Object.keys(naming);
}

/** Of people who log in there: who they are, or which organisation has them. */
const OF_PEOPLE = /^(?:sub|email|preferred_username|nickname|hd|groups|groups_direct|https:\/\/gitlab\.org\/claims\/groups\/\w+)$/;

/** True where everybody in the world may have an account, and a login there with this claim, or any at all, may be anybody's. */
export function mayBeAnybody(issuer: string, claim: { readonly path: string; readonly pattern: string } | undefined): boolean {
  if (namingOf(issuer) === undefined) return false;
  return claim === undefined || !OF_PEOPLE.test(claim.path) || !WHOLE.test(claim.pattern);
}

function namingOf(issuer: string): Readonly<Record<string, RegExp>> | undefined {
  return NAMING.get(issuer.replace(/\/$/, ''));
}
