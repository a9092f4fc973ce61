// Stock Prefect clients with workload identities instead of stored secrets, through real nginx to a real Prefect.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GITHUB, GITLAB } from '../../src/identity/authn/jwt/shapes.fixture.ts';
import { ciConfig, githubJob, gitlabJob } from '../env/ci-job.ts';
import type { ClientCredential } from '../env/client.ts';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, jsonLines, startGateway } from '../env/gateway.ts';
import { type Issuer, startIssuer } from '../env/issuer.ts';
import { type Keycloak, MACHINE, sharedKeycloak } from '../env/keycloak.ts';
import { type Moto, signedRequest, startMoto } from '../env/moto.ts';
import { field, sharedPrefect, text } from '../env/prefect.ts';
import { run, signalProcess, waitFor } from '../env/process.ts';
import { MAIN } from '../env/program.ts';
import { deploy, openSession, preparePool, type StockSession } from './stock/session.ts';

const PAGE = 'how-to/workloads.md';
const prefect = sharedPrefect();
let issuer: Issuer;
let gitlab: Issuer;
let keycloak: Keycloak;
let moto: Moto;
let gateway: Gateway;
beforeAll(async () => {
  [issuer, gitlab] = [await startIssuer(), await startIssuer()];
  const ci = ciConfig({ github: issuer.issuer, gitlab: gitlab.issuer });
  [keycloak, moto] = await Promise.all([sharedKeycloak(), startMoto()]);
  gateway = await startGateway({
    upstream: prefect,
    config: {
      identity_providers: [
        { id: 'ci', type: 'jwt', issuer: issuer.issuer, audience: 'lictor', require: { repository: 'acme/etl', ref: 'refs/heads/main' } },
        { id: 'kc', type: 'jwt', issuer: keycloak.issuer, audience: ['lictor'], principal_claim: 'azp', require: { azp: 'etl-*' } },
        { id: 'aws', type: 'aws-iam', audience: 'lictor.example.com', sts_endpoint: moto.url },
        ...ci.identity_providers,
      ],
      roles: [
        { role: 'deployer', members: [`user:${GITHUB.sub}@ci`] },
        { role: 'deployer', members: ['user:etl-worker@kc'] },
        { role: 'deployer', members: ['arn:aws:iam::123456789012:role/etl@aws'] },
        { role: 'worker', members: ['user:etl-worker@kc'] },
        ...ci.roles,
      ],
    },
  });
}, 400_000);
afterAll(async () => {
  await gateway?.close();
  await issuer?.close();
  await gitlab?.close();
  await moto?.close();
});

function session(credential: ClientCredential, name: string): StockSession {
  return openSession(prefect, { venv: prefect.venv, url: gateway.url, credential }, name);
}

/** Deploys as a CI job does, into a pool that is there. */
async function deploys(credential: ClientCredential, name: string): Promise<void> {
  const stock = session(credential, name);
  await preparePool(stock);
  await deploy(stock, 'mapped');
  const found: unknown = await stock.server.get(`/deployments/name/mapped/${stock.pool}`);
  expect(text(field(found, 'name'))).toBe(stock.pool);
}

describe('a GitHub-shaped token', () => {
  it('of the right repository and branch deploys, and the ledger says who', async () => {
    await deploys({ carrier: 'auth-string', token: await issuer.token(GITHUB) }, 'github');
    const records = jsonLines(await gateway.lictorOk('audit', '--principal', `${GITHUB.sub}@ci`, '--action', 'deployments.write', '--json'));
    expect(records).toContainEqual(expect.objectContaining({ method: 'POST', credential_id: `jwt:${GITHUB.jti}`, decision: 'allow', idp: 'ci' }));
  });

  it.each([
    ['another branch', { ref: 'refs/heads/evil' }, 'jwt-claims'],
    ['another audience', { aud: 'other' }, 'jwt-issuer-unknown'],
  ])('of %s deploys nothing', async (_what, claims, code) => {
    const stock = session({ carrier: 'auth-string', token: await issuer.token({ ...GITHUB, ...claims }) }, 'github-refused');
    const finished = await stock.client.prefect(['--no-prompt', 'deploy', 'stock.py:mapped', '--name', stock.pool, '--pool', 'any']);
    expect(finished.code, finished.output).not.toBe(0);
    expect(finished.output).toContain(code);
    await expect(stock.server.get(`/deployments/name/mapped/${stock.pool}`)).rejects.toThrow(/404/);
  });
});

describe('the jobs of docs/how-to/ci.md', () => {
  const main = { environment: 'production' };

  it('reach Prefect from GitHub, and not with a token of pull_request_target', async () => {
    const platform = { issuer, gatewayUrl: gateway.url };
    const { output } = await githubJob(platform, { ...GITHUB, ...main });
    expect(output).toMatch(/::add-mask::eyJ.*"roles":\["deployer"\].*prefect 200/s);
    expect((await githubJob(platform, { ...GITHUB, ...main, event_name: 'pull_request_target' })).output).toMatch(/"jwt-claims".*prefect 401/s);
  });

  it("reach Prefect from GitLab, and not with a token of a fork's merge request", async () => {
    const platform = { issuer: gitlab, gatewayUrl: gateway.url };
    expect((await gitlabJob(platform, GITLAB)).output).toContain('prefect 200');
    expect((await gitlabJob(platform, { ...GITLAB, project_path: 'mallory/etl' })).output).toMatch(/"jwt-claims".*prefect 401/s);
  });
});

async function machineToken(): Promise<string> {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: MACHINE.id, client_secret: MACHINE.secret });
  const granted: unknown = await (await fetch(`${keycloak.issuer}/protocol/openid-connect/token`, { method: 'POST', body: form })).json();
  return text(field(granted, 'access_token'));
}

describe('client credentials of a real Keycloak', () => {
  it('are who they are, until a minute has passed', async () => {
    const me: unknown = await (await gateway.fetch('/.lictor/api/v1/me', { token: await machineToken() })).json();
    expect(me).toMatchObject({ principal: 'etl-worker@kc', principal_kind: 'service', roles: ['deployer', 'worker'] });
  });

  it('deploy with a stock client', async () => {
    await deploys({ carrier: 'custom-authorization', token: await machineToken() }, 'keycloak');
  });

  it('are accepted with a new key of the issuer, within the pause between two looks', async () => {
    await keycloak.rotateKeys();
    const status = async () => (await gateway.fetch('/.lictor/api/v1/me', { token: await machineToken() })).status;
    await waitFor(async () => (await status()) === 200, { what: 'the new key to be known', timeoutMs: 90_000 });
  });
});

interface Exchange {
  readonly type: string;
  readonly subject: string;
}

async function exchange({ type, subject }: Exchange): Promise<string> {
  const body = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token_type: type, subject_token: subject });
  const response = await gateway.fetch('/.lictor/oauth/token', { method: 'POST', body });
  const answer: unknown = await response.json();
  expect(response.status, JSON.stringify(answer)).toBe(200);
  return text(field(answer, 'access_token'));
}

describe('a token that was exchanged', () => {
  it('for the identity of an AWS role deploys with a stock client', async () => {
    const request = await signedRequest({
      url: moto.url,
      region: moto.region,
      credentials: moto.role,
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
      headers: { 'x-lictor-audience': 'lictor.example.com' },
    });
    const token = await exchange({ type: 'urn:lictor:token-type:aws-iam', subject: JSON.stringify(request) });
    await deploys({ carrier: 'auth-string', token }, 'aws');
  });

  it('arrives without a setting under lictor exec', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = moto.role;
    const finished = await run({
      name: 'lictor exec --as aws-iam',
      command: process.execPath,
      args: [
        MAIN,
        'exec',
        '--url',
        gateway.url,
        '--as',
        'aws-iam',
        '--audience',
        'lictor.example.com',
        '--',
        join(prefect.venv, 'bin', 'prefect'),
        'work-pool',
        'ls',
      ],
      env: {
        PATH: process.env['PATH'],
        HOME: gateway.stateDir,
        COLUMNS: '250',
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_SESSION_TOKEN: sessionToken,
        AWS_ENDPOINT_URL_STS: moto.url,
      },
    });
    expect(finished.code, finished.output).toBe(0);
    expect(finished.output).toContain('pool-aws');
  });

  it('for a JWT of Keycloak has the form of docs/how-to/workloads.md, by its commands', async () => {
    const commands = [docsBlock(PAGE, 'curl -sS -d grant_type').trim(), docsBlock(PAGE, 'curl -sS https://prefect.example.com/.lictor/oauth/token').trim()];
    const [granted = '', exchanged = ''] = commands.map((command) =>
      command
        .replace(/https:\/\/idp\.example\.com\/realms\/data/, keycloak.issuer)
        .replace('client_secret=...', `client_secret=${MACHINE.secret}`)
        .replace('https://prefect.example.com', gateway.url),
    );
    const script = `${granted} | jq -j .access_token > token && ${exchanged}`;
    const { output } = await run({ name: 'curl', command: 'sh', args: ['-ec', script], cwd: gateway.stateDir, env: { PATH: process.env['PATH'] } });
    rmSync(join(gateway.stateDir, 'token'));
    const like = (text: string): unknown => ({ ...JSON.parse(text), access_token: expect.stringMatching(/^lca_/), expires_in: expect.any(Number) });
    expect(JSON.parse(output)).toEqual(like(docsBlock(PAGE, '{"access_token":"lca_..."')));
  });

  it('for a JWT is the same principal, by a token that can be revoked and locked out', async () => {
    const token = await exchange({ type: 'urn:ietf:params:oauth:token-type:jwt', subject: await issuer.token(GITHUB) });
    const me = (): Promise<Response> => gateway.fetch('/.lictor/api/v1/me', { token });
    expect(await (await me()).json()).toMatchObject({ principal: `${GITHUB.sub}@ci`, roles: ['deployer'] });
    await gateway.lictorOk('lock', `${GITHUB.sub}@ci`);
    expect(await (await me()).json()).toMatchObject({ code: 'locked' });
    await gateway.lictorOk('unlock', `${GITHUB.sub}@ci`);
    const id = text(field(await (await me()).json(), 'credential_id'));
    await gateway.lictorOk('token', 'revoke', id);
    expect(await (await me()).json()).toMatchObject({ code: 'credential-revoked' });
  });

  it('for a JWT of another branch is none', async () => {
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      subject_token: await issuer.token({ ...GITHUB, ref: 'refs/heads/evil' }),
    });
    const response = await gateway.fetch('/.lictor/oauth/token', { method: 'POST', body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: 'invalid_grant', code: 'jwt-claims' });
  });

  it('ends when a reload trusts its provider for something else', async () => {
    const token = await exchange({ type: 'urn:ietf:params:oauth:token-type:jwt', subject: await issuer.token(GITHUB) });
    const status = async (): Promise<number> => (await gateway.fetch('/.lictor/api/v1/me', { token })).status;
    expect(await status()).toBe(200);
    const before = readFileSync(gateway.configFile, 'utf8');
    writeFileSync(gateway.configFile, before.replace('refs/heads/main', 'refs/heads/release'));
    signalProcess(gateway.pids().supervisor, 'SIGHUP');
    await waitFor(async () => (await status()) === 401, { what: 'the token to end', timeoutMs: 60_000 });
  });
});
