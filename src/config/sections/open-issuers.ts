// Public issuers: any account in the world gets a token for any audience. A provider with such an issuer needs a rule.

/** Text that no wildcard can widen. */
const WHOLE = /^[^*]+$/;
/** An owner's whole name: `acme/*`, and not `acme*`, which is `acme-evil/x` as well. */
const OWNED = /^[^*/]+\/|^[^*]+$/;
const OF_ORGANIZATION = /^organization:[^*:]+:/;

/**
 * The OpenID issuers of public services, and the claims that identify the owner of a token. Any other claim is chosen by the caller, shared, or set by
 * strangers: `actor` may be a person who starred a stranger's repository, and `job_workflow_ref` names a workflow that anyone may call.
 */
const NAMING: ReadonlyMap<string, Readonly<Record<string, RegExp>>> = new Map([
  [
    'https://token.actions.githubusercontent.com',
    {
      ...{ repository: OWNED, repository_id: WHOLE, repository_owner: WHOLE, repository_owner_id: WHOLE, enterprise: WHOLE, enterprise_id: WHOLE },
      // The repository chooses the beginning, except for these forms, which GitHub sets.
      sub: /^repo:[^*/]+\/|^repository_owner:[^*:]+(?::|$)|^repository(?:_owner)?_id:\d+(?::|$)/,
    },
  ],
  ['https://gitlab.com', { project_path: OWNED, project_id: WHOLE, namespace_path: OWNED, namespace_id: WHOLE, sub: /^project_path:[^*/]+\// }],
  // For a person, `azp` is the application of the login, such as gcloud, which anyone may use. For a service account, it is the account.
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

/** `require` must fix one of these claims, because otherwise any account in the world matches. Undefined: it does, or the issuer is not public. */
export function missingRules(issuer: string, require: Readonly<Record<string, string>>): readonly string[] | undefined {
  const naming = namingOf(issuer);
  if (naming === undefined || Object.entries(require).some(([path, pattern]) => Object.hasOwn(naming, path) && naming[path]?.test(pattern) === true))
    return undefined;
  return Object.keys(naming);
}

/** Claims that identify a person or the organisation of the person. */
const OF_PEOPLE = /^(?:sub|email|preferred_username|nickname|hd|groups|groups_direct|https:\/\/gitlab\.org\/claims\/groups\/\w+)$/;

/** True if the issuer is public and the claim does not identify a person or an organisation. Without a claim, any login matches. */
export function mayBeAnybody(issuer: string, claim: { readonly path: string; readonly pattern: string } | undefined): boolean {
  if (namingOf(issuer) === undefined) return false;
  return claim === undefined || !OF_PEOPLE.test(claim.path) || !WHOLE.test(claim.pattern);
}

function namingOf(issuer: string): Readonly<Record<string, RegExp>> | undefined {
  return NAMING.get(issuer.replace(/\/$/, ''));
}
