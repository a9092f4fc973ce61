// lictor.yaml as init proposes it: text with comments, so that a person can continue from there.
import { ACCOUNTS, type Answers, IDP, memberOf } from './answers.ts';

export interface Proposal {
  readonly answers: Answers;
  readonly servers: readonly string[];
  /** Paths as they stand in lictor.yaml. */
  readonly authStringFile: string | undefined;
  readonly clientSecretFile: string | undefined;
  /** Tags of deployments. */
  readonly tags: readonly string[];
  /** Groups of a test login. */
  readonly groups: readonly string[];
}

export function renderConfig(proposal: Proposal): string {
  return [...publicPart(proposal.answers), ...prefectPart(proposal), ...providerPart(proposal), ...rolesPart(proposal)].join('\n').concat('\n');
}

/** Text from an answer or a provider as one YAML word: a JSON text is one. */
function q(text: string): string {
  return /^[\w./:@-]*[\w/]$/.test(text) && !/^[-@]|: |^(?:true|false|null|yes|no|on|off|~|[-+.\d][\d._eE+-]*)$/i.test(text) ? text : JSON.stringify(text);
}

function publicPart({ public_url: publicUrl, listen, tls }: Answers): readonly string[] {
  return [
    '# Written by lictor init. docs/reference/configuration.md has every key; lictor check finds mistakes.',
    '',
    '# What people and workers type.',
    `public_url: ${q(publicUrl)}`,
    ...(listen === undefined ? [] : [`listen: ${q(listen)}`]),
    ...(tls === undefined
      ? []
      : ['self_made' in tls ? 'tls: { self_made: true } # clients need STATE/tls/ca.pem' : `tls: { cert: ${q(tls.cert)}, key: ${q(tls.key)} }`]),
    '',
  ];
}

function prefectPart({ servers, answers, authStringFile }: Proposal): readonly string[] {
  const [first = '', ...others] = servers;
  return [
    '# The Prefect behind the gateway. In the end, only the gateway may reach it.',
    'prefect:',
    others.length === 0 ? `  url: ${q(first)}` : `  servers: [${servers.map(q).join(', ')}]`,
    ...(authStringFile === undefined
      ? ['  # Prefect has no auth string yet. Give it one when all clients have moved: docs/how-to/existing-server.md', '  # auth_string_file: prefect-auth']
      : [`  auth_string_file: ${q(authStringFile)}`]),
    ...(answers.prefect_ca_file === undefined ? [] : [`  ca_file: ${q(answers.prefect_ca_file)}`]),
    '',
  ];
}

function providerPart({ answers, clientSecretFile }: Proposal): readonly string[] {
  if (answers.issuer === undefined)
    return ['# Accounts of Lictor: lictor account add NAME --role R', 'identity_providers:', `  - { id: ${ACCOUNTS}, type: accounts }`, ''];
  return [
    'identity_providers:',
    `  - id: ${IDP}`,
    '    type: oidc',
    `    issuer: ${q(answers.issuer)}`,
    `    client_id: ${q(answers.client_id ?? '')}`,
    ...(clientSecretFile === undefined ? [] : [`    client_secret_file: ${q(clientSecretFile)}`]),
    ...(answers.groups_claim === undefined ? [] : [`    groups_claim: ${q(answers.groups_claim)}`]),
    ...(answers.issuer_ca_file === undefined ? [] : [`    ca_file: ${q(answers.issuer_ca_file)}`]),
    `  # - { id: ${ACCOUNTS}, type: accounts } # for administrators, while the provider is away`,
    '',
  ];
}

const MOST_COMMENTS = 20;

/** Admins as answered. A group whose name is a tag gets its deployments; every other role is a comment, which permits nothing. */
function rolesPart({ answers, tags, groups }: Proposal): readonly string[] {
  if (answers.issuer === undefined) return ['# Accounts have the roles that they are added with. More: docs/reference/roles.md', ''];
  const members = answers.admins.map((admin) => q(memberOf(admin, IDP))).join(', ');
  const others = groups.filter((group) => !answers.admins.includes(`group:${group}`));
  const teams = others.filter((group) => tags.includes(group));
  return [
    '# Roles by person or group of the provider. docs/reference/roles.md says what each may do.',
    'roles:',
    `  - { role: admin, members: [${members}] }`,
    ...teams.map((team) => operator(team, team)),
    ...others
      .filter((group) => !teams.includes(group))
      .slice(0, MOST_COMMENTS)
      .map((group) => `  # - { role: viewer, members: [${q(`group:${group}@${IDP}`)}] }`),
    ...(teams.length > 0 ? [] : [`  # A team on its own deployments, by tag:`, `  # ${operator('team-a', tags[0] ?? 'team-a').trim()}`]),
    '',
  ];
}

function operator(group: string, tag: string): string {
  return `  - { role: operator, members: [${q(`group:${group}@${IDP}`)}], scope: { tags: [${q(tag)}] } }`;
}
