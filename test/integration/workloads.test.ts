// Stock Prefect clients with workload identities instead of stored secrets, through real nginx to a real Prefect.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GITHUB } from '../../src/authn/jwt/shapes.fixture.ts';
import type { CarrierName, ClientCredential } from '../env/client.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { type Issuer, startIssuer } from '../env/issuer.ts';
import { type Keycloak, MACHINE, sharedKeycloak } from '../env/keycloak.ts';
import { field, sharedPrefect, text } from '../env/prefect.ts';
import { waitFor } from '../env/process.ts';
import { deploy, openSession, prefectOk, type StockSession } from './stock/session.ts';

const prefect = sharedPrefect();
let issuer: Issuer;
let keycloak: Keycloak;
let gateway: Gateway;
beforeAll(async () => {
  issuer = await startIssuer();
  keycloak = await sharedKeycloak();
  gateway = await startGateway({
    upstream: prefect,
    config: {
      identity_providers: [
        { id: 'ci', type: 'jwt', issuer: issuer.issuer, audience: 'lictor', require: { repository: 'acme/etl', ref: 'refs/heads/main' } },
        { id: 'kc', type: 'jwt', issuer: keycloak.issuer, audience: ['lictor'], principal_claim: 'azp', require: { azp: 'etl-*' } },
      ],
      roles: [
        { role: 'deployer', members: [`user:${GITHUB.sub}@ci`] },
        { role: 'deployer', members: ['user:etl-worker@kc'] },
        { role: 'worker', members: ['user:etl-worker@kc'] },
      ],
    },
  });
}, 400_000);
afterAll(async () => {
  await gateway?.close();
  await issuer?.close();
});

function session(credential: ClientCredential, name: string): StockSession {
  return openSession(prefect, { venv: prefect.venv, url: gateway.url, credential }, name);
}

describe('a GitHub-shaped token', () => {
  it.each<CarrierName>(['auth-string', 'custom-authorization'])('of the right repository and branch deploys, by %s', async (carrier) => {
    const stock = session({ carrier, token: await issuer.token(GITHUB) }, `github-${carrier}`);
    await prefectOk(stock, 'work-pool', 'create', stock.pool, '--type', 'process');
    await deploy(stock, 'mapped');
    const found: unknown = await stock.server.get(`/deployments/name/mapped/${stock.pool}`);
    expect(text(field(found, 'name'))).toBe(stock.pool);
    const records = await gateway.lictorOk('audit', '--principal', `${GITHUB.sub}@ci`, '--json');
    expect(records).toContain(`jwt:${GITHUB.jti}`);
    await stock.client.stop();
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

  it('work with a stock client as Basic password', async () => {
    const stock = session({ carrier: 'auth-string', token: await machineToken() }, 'keycloak');
    await prefectOk(stock, 'work-pool', 'create', stock.pool, '--type', 'process');
    await deploy(stock, 'mapped');
    await stock.client.stop();
  });

  it('are accepted with a new key of the issuer, within the pause between two looks', async () => {
    await keycloak.rotateKeys();
    const token = await machineToken();
    await waitFor(async () => (await gateway.fetch('/.lictor/api/v1/me', { token })).status === 200, { what: 'the new key to be known', timeoutMs: 40_000 });
  });
});
