// Issuers that give a token with any audience to everybody in the world: without a rule the audience alone would open the door.

/** The OpenID issuers of services that anybody may have an account with. */
const OPEN: readonly string[] = [
  'https://token.actions.githubusercontent.com',
  'https://gitlab.com',
  'https://accounts.google.com',
  'https://agent.buildkite.com',
  'https://app.terraform.io',
];

/** `require` must name somebody: at least one rule that does not begin with the wildcard. */
export function needsRules(issuer: string, require: Readonly<Record<string, string>>): boolean {
  const open = OPEN.includes(issuer.replace(/\/$/, ''));
  return open && !Object.entries(require).some(([path, pattern]) => !NAMES_NOBODY.has(path) && !pattern.startsWith('*'));
}

/** Claims whose value is the caller's to choose, or everybody's. */
const NAMES_NOBODY = new Set(['iss', 'aud', 'ref', 'ref_type', 'event_name', 'environment', 'workflow', 'runner_environment', 'repository_visibility']);
