// The Keycloak of the tests is the real one, with the realm that the tests speak of.
import { decodeJwt } from 'jose';
import { beforeAll, expect, it } from 'vitest';
import { type Keycloak, MACHINE, sharedKeycloak } from '../env/keycloak.ts';
import { field, text } from '../env/prefect.ts';

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
