// docs/how-to/ci.md: its configuration accepts the job that it is for, and none of those that the page says are rejected.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { docsBlock } from '../../../../test/env/docs.ts';
import { openTestFile, SMALLEST } from '../../../config/test-file.ts';
import { createRoleBook } from '../roles.ts';
import { ISSUER, type SigningKey, sign, signingKey, testIssuer } from './issuer.fixture.ts';
import { GITHUB, GITLAB } from './shapes.fixture.ts';

const PAGE = 'how-to/ci.md';
const AUDIENCE = 'prefect.example.com';
const file = openTestFile();
let key: SigningKey;
beforeAll(async () => {
  key = await signingKey('one', 'RS256');
});
afterAll(() => file.remove());

/** Roles of a job with these claims, or the reason why it is rejected. */
async function outcome(id: 'github' | 'gitlab', claims: object): Promise<string> {
  const config = file.accepted(`${SMALLEST}${docsBlock(PAGE, `identity_providers:\n  - id: ${id}`)}`);
  const [provider] = config.identityProviders;
  if (provider?.type !== 'jwt') throw new Error('the page has no provider of type jwt');
  const proof = await testIssuer([{ ...provider, issuer: ISSUER }], [key.publicJwk]).prove(await sign(key, { ...claims }));
  if (!proof.ok) return proof.reason;
  const roles = createRoleBook(config.roles).ofIdentity(proof.identity);
  return roles.map(({ role }) => role).join() || 'no role';
}

describe('GitHub Actions', () => {
  const JOB = { ...GITHUB, aud: AUDIENCE, environment: 'production' };
  const github = (claims: object): Promise<string> => outcome('github', { ...JOB, ...claims });

  it('deploys from the branch and the environment, also with the longer subject', async () => {
    expect(await github({})).toBe('deployer');
    expect(await github({ sub: 'repo:acme@65/etl@74:environment:production' })).toBe('deployer');
  });

  it.each([
    ['a pull request', { ref: 'refs/pull/7/merge', event_name: 'pull_request', head_ref: 'evil', base_ref: 'main' }],
    ['a fork', { repository: 'mallory/etl', repository_owner: 'mallory' }],
    ['pull_request_target', { event_name: 'pull_request_target', head_ref: 'evil', base_ref: 'main' }],
    ['another branch', { ref: 'refs/heads/evil' }],
    ['a job without the environment', { environment: undefined }],
    ['a repository with an equal beginning', { repository: 'acme/etl-evil' }],
  ])('deploys nothing from %s', async (_what, claims) => expect(await github(claims)).toBe('jwt-claims'));

  it('deploys nothing with a token for another service', async () => {
    expect(await github({ aud: 'https://github.com/acme' })).toBe('jwt-issuer-unknown');
  });

  it('is asked by the workflow of the page for the audience of the configuration, in the environment that it requires', () => {
    const { deploy } = parse(docsBlock(PAGE, 'on: { push:')).jobs;
    expect([deploy.environment, deploy.permissions['id-token']]).toEqual(['production', 'write']);
    expect(deploy.steps.at(-1).run).toContain(`&audience=${AUDIENCE}"`);
  });
});

describe('GitLab CI', () => {
  const gitlab = (claims: object): Promise<string> => outcome('gitlab', { ...GITLAB, aud: AUDIENCE, ...claims });

  it('deploys from the protected branch and the environment', async () => expect(await gitlab({})).toBe('deployer'));

  it.each([
    ["a fork's merge request", { project_path: 'mallory/etl', namespace_path: 'mallory', pipeline_source: 'merge_request_event' }],
    ["a fork's merge request before 18.2.2", { ref: 'evil', ref_protected: 'false', pipeline_source: 'merge_request_event' }],
    ['a branch of a fork with the name of the protected one, before 18.2.2', { ref_protected: 'false', pipeline_source: 'merge_request_event' }],
    ['a tag of that name', { ref_type: 'tag', ref_path: 'refs/tags/main' }],
    ['a branch that is not protected', { ref_protected: 'false' }],
    ['a job without the environment', { environment: undefined }],
  ])('deploys nothing from %s', async (_what, claims) => expect(await gitlab(claims)).toBe('jwt-claims'));

  it('is asked by the job of the page for the audience of the configuration, in the environment that it requires', () => {
    const { deploy } = parse(docsBlock(PAGE, 'deploy:\n  image'));
    expect([deploy.environment, deploy.id_tokens]).toEqual(['production', { LICTOR: { aud: AUDIENCE } }]);
    expect(deploy.script.join('\n')).toContain('PREFECT_API_AUTH_STRING="any:$LICTOR"');
  });
});
