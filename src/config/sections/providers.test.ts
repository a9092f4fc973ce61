import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { contextOf } from './context.ts';
import { providersSection } from './providers.ts';
import { rolesSection } from './roles.ts';

const baseDir = mkdtempSync(join(tmpdir(), 'lictor-providers-'));
writeFileSync(join(baseDir, 'secret'), 's3cret\n', { mode: 0o600 });
writeFileSync(join(baseDir, 'open'), 's3cret\n', { mode: 0o644 });
writeFileSync(join(baseDir, 'two-lines'), 'a\nb\n', { mode: 0o600 });

type Wire = NonNullable<z.input<ReturnType<typeof providersSection>>>;

function read(identity_providers: Wire) {
  const tls = { client_ca: 'ca.pem' };
  const files = { baseDir, stateDir: baseDir, secrets: 'read' } as const;
  const context = contextOf({ public_url: 'https://prefect.example/flows', tls, identity_providers }, files);
  const { data: providers, error } = providersSection(context).safeParse(identity_providers);
  return { providers, problems: (error?.issues ?? []).map(({ path, message }) => `${path.join('.')} ${message}`) };
}

/** What is wrong with a member, held against these providers. */
function memberProblems(member: string, providers: Wire): readonly string[] {
  const { error } = rolesSection({ agents: [], providers: providers as { id: string; type: string; issuer?: string }[] }).safeParse([
    { role: 'viewer', members: [member] },
  ]);
  return (error?.issues ?? []).map(({ message }) => message);
}

const OIDC: Wire[number] = { id: 'corp', type: 'oidc', issuer: 'https://idp.example/realms/data', client_id: 'lictor', client_secret_file: 'secret' };
const JWT: Wire[number] = { id: 'ci', type: 'jwt', issuer: 'https://tokens.example', audience: 'lictor' };

describe('identity providers', () => {
  it('are compared with each other only if each is sound', () => {
    const both = [JWT, { ...JWT, id: 'ci-2' }];
    expect(read(both).problems).toEqual(['1.audience overlaps ci: the same issuer and audience']);
    expect(read(both.map((provider) => ({ ...provider, issuer: 'http://tokens.example' }))).problems).toEqual([
      '0.issuer is plain http: anybody on the way could answer for the provider',
      '1.issuer is plain http: anybody on the way could answer for the provider',
    ]);
  });

  it('are read with their defaults', () => {
    const { providers, problems } = read([OIDC, JWT, { id: 'aws', type: 'aws-iam', audience: 'lictor.example', regions: ['eu-west-1'] }]);
    expect(problems).toEqual([]);
    expect(providers).toMatchObject([
      { clientSecret: 's3cret', scopes: ['openid', 'profile', 'email'], groupsClaim: 'groups', caFile: null },
      { audiences: ['lictor'], jwksUri: null, require: {}, principalClaim: 'sub' },
      { regions: ['eu-west-1'], stsEndpoint: null },
    ]);
  });

  it.each<[string, Wire, RegExp]>([
    ['plain http', [{ ...OIDC, issuer: 'http://idp.example' }], /issuer is plain http/],
    ['a user in the address', [{ ...JWT, jwks_uri: 'https://a:b@tokens.example/keys' }], /jwks_uri is no plain address/],
    ['scopes without openid', [{ ...OIDC, scopes: ['profile'] }], /scopes lacks openid/],
    ['a secret twice', [{ ...OIDC, client_secret: 'x' }], /client_secret stands beside/],
    ['a secret that everybody can read', [{ ...OIDC, client_secret_file: 'open' }], /every user of this machine/],
    ['a secret of two lines', [{ ...OIDC, client_secret_file: 'two-lines' }], /on one line/],
    ['a secret that is missing', [{ ...OIDC, client_secret_file: 'nowhere' }], /does not exist/],
    ['no certificate in ca_file', [{ ...OIDC, ca_file: 'secret' }], /ca_file .* cannot be read as PEM/],
    ['both kinds of metadata', [{ id: 'a', type: 'saml', metadata_url: 'https://idp.example/m', metadata_file: 'secret' }], /exactly one/],
    ['no metadata', [{ id: 'a', type: 'saml' }], /exactly one/],
    ['metadata that is missing', [{ id: 'a', type: 'saml', metadata_file: 'nowhere' }], /cannot be read/],
    ['no audience', [{ ...JWT, audience: [] }], /audience is empty/],
    ['an issuer that serves the world, without rules', [{ ...JWT, issuer: 'https://token.actions.githubusercontent.com' }], /require names nobody/],
    [
      'the same with rules that everybody meets',
      [{ ...JWT, issuer: 'https://gitlab.com', require: { ref: 'main', project_path: '*' } }],
      /require names nobody/,
    ],
    ...(
      [
        ['https://token.actions.githubusercontent.com', { sub: 'repo:*' }],
        ['https://token.actions.githubusercontent.com/', { sub: 'repo:acme*' }],
        ['https://token.actions.githubusercontent.com', { sub: 'environment:production' }],
        ['https://token.actions.githubusercontent.com', { sub: 'repository_owner_id:12*' }],
        ['https://token.actions.githubusercontent.com', { repository: 'acme*' }],
        ['https://token.actions.githubusercontent.com', { repository_owner: 'acme*' }],
        ['https://token.actions.githubusercontent.com', { ref_protected: 'true', ref: 'refs/heads/main' }],
        ['https://token.actions.githubusercontent.com', { job_workflow_ref: 'acme/flows/.github/workflows/run.yml@refs/heads/main' }],
        ['https://token.actions.githubusercontent.com', { actor: 'alice' }],
        ['https://token.actions.githubusercontent.com', { toString: 'x' }],
        ['https://gitlab.com', { namespace_path: 'acme*' }],
        ['https://accounts.google.com', { email_verified: 'true' }],
        ['https://accounts.google.com', { email: '*@acme.example' }],
        ['https://accounts.google.com', { azp: '32555940559.apps.googleusercontent.com' }],
        ['https://agent.buildkite.com', { sub: 'organization:acme*' }],
        ['https://app.terraform.io', { terraform_run_phase: 'apply' }],
      ] as const
    ).map(([issuer, require]): [string, Wire, RegExp] => [`${issuer} with ${JSON.stringify(require)}`, [{ ...JWT, issuer, require }], /require names nobody/]),
    ['the gateway itself as issuer', [{ ...JWT, issuer: 'https://prefect.example/flows/' }], /issuer is this gateway itself/],
    ['a path in the endpoint of STS', [{ id: 'aws', type: 'aws-iam', audience: 'x', sts_endpoint: 'https://sts.example/x' }], /sts_endpoint has a path/],
    ['no region', [{ id: 'aws', type: 'aws-iam', audience: 'x', regions: ['Ireland'] }], /regions.0 is no AWS region/],
    ['an id twice', [OIDC, { ...OIDC, issuer: 'https://other.example' }], /id corp is there twice/],
    ['the same issuer and audience', [JWT, { ...JWT, id: 'ci2', audience: ['other', 'lictor'] }], /audience overlaps ci/],
    ['the client of a login as audience', [OIDC, { ...JWT, issuer: 'https://idp.example/realms/data' }], /client_id of corp/],
    [
      'two of type mtls',
      [
        { id: 'a', type: 'mtls', principal_from: 'san_uri' },
        { id: 'b', type: 'mtls', principal_from: 'subject_cn' },
      ],
      /more than one of type mtls/,
    ],
  ])('%s is a problem, and the only one', (_name, wire, problem) => {
    const { problems } = read(wire);
    expect(problems).toEqual([expect.stringMatching(problem)]);
    expect(problems.join()).not.toContain('s3cret');
  });

  it('of type saml accept no login that began at the provider, unless the configuration allows it', () => {
    const saml = { id: 'adfs', type: 'saml', metadata_url: 'https://idp.example/metadata' } as const;
    expect(read([saml]).providers).toEqual([
      { id: 'adfs', type: 'saml', metadata: { url: 'https://idp.example/metadata' }, groupsAttribute: 'groups', idpInitiated: false, caFile: null },
    ]);
    expect(read([{ ...saml, idp_initiated: true }]).providers).toMatchObject([{ idpInitiated: true }]);
  });

  it('of one issuer may differ by audience, http is fine on loopback', () => {
    expect(read([JWT, { ...JWT, id: 'ci2', audience: 'other' }, { ...JWT, id: 'k', issuer: 'http://127.0.0.1:1' }]).problems).toEqual([]);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['https://token.actions.githubusercontent.com', { repository: 'acme/*' }],
    ['https://token.actions.githubusercontent.com', { repository_owner: 'acme', ref: '*' }],
    ['https://token.actions.githubusercontent.com', { sub: 'repo:acme/*' }],
    ['https://token.actions.githubusercontent.com', { sub: 'repository_owner_id:123:environment:*' }],
    ['https://gitlab.com', { project_path: 'acme/data/*' }],
    ['https://gitlab.com', { sub: 'project_path:acme/etl:*' }],
    ['https://accounts.google.com', { hd: 'acme.example' }],
    ['https://agent.buildkite.com', { sub: 'organization:acme:*' }],
    ['https://app.terraform.io', { terraform_full_workspace: 'organization:acme:*' }],
  ])('of %s, which serves the world, with %j name somebody', (issuer, require) => {
    expect(read([{ ...JWT, issuer, require }]).problems).toEqual([]);
  });
});

describe('members', () => {
  it('are not everybody in the world', () => {
    const google = { ...OIDC, id: 'google', issuer: 'https://accounts.google.com' } as const;
    for (const member of ['*@google', 'claim:email_verified=true@google', 'claim:hd=*@google', 'claim:email=*@acme.example@google', 'claim:locale=en@google'])
      expect(memberProblems(member, [google]), member).toEqual([expect.stringMatching(/anybody in the world/)]);
    for (const member of ['claim:email=alice@acme.example@google', 'claim:groups_direct=acme/team@google', 'group:acme/team@google'])
      expect(memberProblems(member, [google]), member).toEqual([]);
    expect(memberProblems('claim:email_verified=true@corp', [OIDC])).toEqual([]);
    expect(memberProblems('claim:hd=acme.example@google', [google])).toEqual([]);
    expect(memberProblems('*@corp', [OIDC])).toEqual([]);
    // Those of `jwt` are held to `require`.
    expect(memberProblems('*@google', [{ ...JWT, id: 'google', issuer: 'https://accounts.google.com' }])).toEqual([]);
  });

  const providers = [OIDC, JWT, { id: 'aws', type: 'aws-iam', audience: 'x' } as const, { id: 'local', type: 'accounts' } as const];
  const check = (member: string): readonly string[] => memberProblems(member, providers);

  it.each([
    'user:bob@corp',
    'user:bob@example.com@corp',
    'group:team a@corp',
    'group:/platform@corp',
    'claim:repository=acme/*@ci',
    'arn:aws:iam::123456789012:role/etl@aws',
    'arn:aws:iam::123456789012:user/ops/dana@aws',
    'claim:account=123456789012@aws',
    '*@ci',
    'token:etl-worker',
    'user:alice@local',
  ])('%s can be', (member) => expect(check(member)).toEqual([]));

  it.each([
    ['group:platform@local', /can never be/],
    ['user:bob@aws', /can never be/],
    ['arn:aws:iam::123456789012:role/etl@corp', /can never be/],
    ['arn:aws:iam::12:role/etl@aws', /names nobody/],
    ['arn:aws:iam::123456789012:role/team/etl@aws', /names nobody/],
    ['group:platform@nowhere', /no identity provider/],
    ['group:@corp', /names nobody/],
    ['claim:=x@ci', /names nobody/],
    ['bob@corp', /names nobody/],
    ['user:bob', /names nobody/],
    ['@corp', /names nobody/],
    ['user:*@corp', /names nobody: names are compared as they are written/],
    ['user:*@local', /names nobody/],
    ['user:bob*@corp', /names nobody/],
    ['group:team-*@corp', /names nobody/],
    ['arn:aws:iam::123456789012:role/*@aws', /names nobody/],
  ])('%s is a problem', (member, problem) => expect(check(member)).toEqual([expect.stringMatching(problem)]));
});
