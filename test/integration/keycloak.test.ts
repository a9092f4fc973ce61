// The Keycloak of the tests is the real one, with the realm that the tests speak of.
import { decodeJwt } from 'jose';
import { beforeAll, expect, it } from 'vitest';
import { docsBlock } from '../env/docs.ts';
import { CLIENT, type Keycloak, MACHINE, sharedKeycloak } from '../env/keycloak.ts';
import { field, list, text } from '../env/prefect.ts';

let keycloak: Keycloak;
beforeAll(async () => {
  keycloak = await sharedKeycloak();
}, 400_000);

it('is discovered under the name of its issuer', async () => {
  const metadata: unknown = await (await fetch(`${keycloak.issuer}/.well-known/openid-configuration`)).json();
  expect(metadata).toMatchObject({ issuer: keycloak.issuer, backchannel_logout_supported: true });
});

it('gives a machine a token of a minute for the audience lictor', async () => {
  const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: MACHINE.id, client_secret: MACHINE.secret });
  const granted: unknown = await (await fetch(`${keycloak.issuer}/protocol/openid-connect/token`, { method: 'POST', body: form })).json();
  const { aud, iat = 0, exp = 0 } = decodeJwt(text(field(granted, 'access_token')));
  expect(aud).toContain('lictor');
  expect(exp - iat).toBe(60);
});

it('imports the client of docs/how-to/keycloak.md whole, and it is the one that the tests log in with', async () => {
  const page = JSON.parse(docsBlock('how-to/keycloak.md', '{'));
  const named = async (clientId: string): Promise<unknown> => list(await keycloak.admin('GET', `/clients?clientId=${clientId}`))[0];
  await keycloak.admin('POST', '/clients', { ...page, clientId: 'lictor-of-the-page' });
  const imported = await named('lictor-of-the-page');
  expect(imported).toMatchObject({ ...page, clientId: 'lictor-of-the-page' });
  await keycloak.admin('DELETE', `/clients/${text(field(imported, 'id'))}`);
  await keycloak.serve('https://prefect.example.com', 'corp');
  expect(await named(CLIENT.id)).toMatchObject(page);
});
