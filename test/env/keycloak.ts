// The real Keycloak of a test run, and its admin API: what an administrator of the realm would do.
import { inject } from 'vitest';
import { ADMIN } from './keycloak/distribution.ts';
import type { KeycloakAddress } from './keycloak/server.ts';
import { field, list, text } from './prefect.ts';
import { alsoShow } from './process.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    sharedServers: string;
  }
}

const REALM = 'data';

/** In realm.json: alice is in the group platform, bob in none. */
export const PEOPLE = {
  alice: { name: 'alice', password: 'alice-password' },
  bob: { name: 'bob', password: 'bob-password' },
} as const;

/** The confidential client of realm.json, and the one for client credentials (60 s, audience `lictor`). */
export const CLIENT = { id: 'lictor', secret: 'lictor-client-secret' } as const;
export const MACHINE = { id: 'etl-worker', secret: 'etl-worker-secret' } as const;

export interface Keycloak {
  readonly url: string;
  readonly issuer: string;
  /** Lets the client `lictor` log people in at this gateway, and sets the address for Keycloak's logout requests. */
  serve(gatewayUrl: string, idp: string): Promise<void>;
  /** Makes a SAML client of a service provider's metadata, as an administrator imports it. Answers its id there. */
  serveSaml(metadata: string): Promise<string>;
  /** Seconds an access token lives: what the gateway refreshes by. */
  setTokenLifetime(seconds: number): Promise<void>;
  addUser(name: string, groups: readonly string[]): Promise<{ readonly name: string; readonly password: string }>;
  setEnabled(name: string, enabled: boolean): Promise<void>;
  setGroups(name: string, groups: readonly string[]): Promise<void>;
  /** Ends every session of a person, as an administrator. */
  logOut(name: string): Promise<void>;
  /** How many sessions a person has there. */
  sessions(name: string): Promise<number>;
  /** A new signing key, used from now on; the old one stays published. */
  rotateKeys(): Promise<void>;
  /** Any other call of the admin API below the realm; a text is sent as XML. */
  admin(method: string, path: string, body?: unknown): Promise<unknown>;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Started by the first test file that asks. */
export async function sharedKeycloak(): Promise<Keycloak> {
  const address = await ask('start');
  alsoShow('keycloak', address.logFile);
  const admin = (method: string, path: string, body?: unknown): Promise<unknown> => callAdmin(address.url, { method, path, body });
  const userId = async (name: string): Promise<string> => text(field(list(await admin('GET', `/users?exact=true&username=${name}`))[0], 'id'));
  return {
    url: address.url,
    issuer: `${address.url}/realms/${REALM}`,
    admin,
    serve: (gatewayUrl, idp) => configureClient(admin, gatewayUrl, idp),
    serveSaml: (metadata) => importSamlClient(admin, metadata),
    setTokenLifetime: async (seconds) => void (await admin('PUT', '', { realm: REALM, accessTokenLifespan: seconds })),
    addUser: (name, groups) => addUser(admin, name, groups),
    setEnabled: async (name, enabled) => void (await admin('PUT', `/users/${await userId(name)}`, { enabled })),
    setGroups: async (name, groups) => await setGroups(admin, await userId(name), groups),
    logOut: async (name) => void (await admin('POST', `/users/${await userId(name)}/logout`)),
    sessions: async (name) => list(await admin('GET', `/users/${await userId(name)}/sessions`)).length,
    rotateKeys: () => addSigningKey(admin),
    stop: async () => void (await ask('stop')),
    start: async () => void (await ask('start')),
  };
}

type Admin = Keycloak['admin'];

async function ask(what: 'start' | 'stop'): Promise<KeycloakAddress> {
  const response = await fetch(`${inject('sharedServers')}/keycloak/${what}`, { method: 'POST' });
  if (!response.ok) throw new Error(`Keycloak: ${what}: ${await response.text()}`);
  const answer: unknown = await response.json();
  return what === 'start' ? { url: text(field(answer, 'url')), logFile: text(field(answer, 'logFile')) } : { url: '', logFile: '' };
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

async function callAdmin(url: string, { method, path, body }: Call): Promise<unknown> {
  const form = new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username: ADMIN.name, password: ADMIN.password });
  const granted: unknown = await (await fetch(`${url}/realms/master/protocol/openid-connect/token`, { method: 'POST', body: form })).json();
  const raw = typeof body === 'string';
  const headers = { authorization: `Bearer ${text(field(granted, 'access_token'))}`, 'content-type': raw ? 'application/xml' : 'application/json' };
  const sent = body === undefined ? {} : { body: raw ? body : JSON.stringify(body) };
  const response = await fetch(`${url}/admin/realms/${REALM}${path}`, { method, headers, ...sent });
  const answer = await response.text();
  if (!response.ok) throw new Error(`Keycloak answered ${response.status} to ${method} ${path}: ${answer}`);
  return answer === '' ? null : JSON.parse(answer);
}

async function configureClient(admin: Admin, gatewayUrl: string, idp: string): Promise<void> {
  const [client] = list(await admin('GET', `/clients?clientId=${CLIENT.id}`));
  const own = `${gatewayUrl}/.lictor`;
  await admin('PUT', `/clients/${text(field(client, 'id'))}`, {
    clientId: CLIENT.id,
    redirectUris: [`${own}/callback/${idp}`],
    attributes: {
      'pkce.code.challenge.method': 'S256',
      'backchannel.logout.url': `${own}/logout/${idp}`,
      'backchannel.logout.session.required': 'true',
      'post.logout.redirect.uris': `${own}/logout`,
    },
  });
}

/** People by their user name, groups by name. Keycloak notifies the gateway of the end of a session. */
async function importSamlClient(admin: Admin, metadata: string): Promise<string> {
  const client = await admin('POST', '/client-description-converter', metadata);
  if (typeof client !== 'object' || client === null) throw new Error('Keycloak made no client of the metadata');
  const clientId = text(field(client, 'clientId'));
  const attributes = field(client, 'attributes');
  await admin('POST', '/clients', {
    ...client,
    frontchannelLogout: false,
    attributes: {
      ...(typeof attributes === 'object' && attributes),
      saml_name_id_format: 'username',
      saml_force_name_id_format: 'true',
      saml_idp_initiated_sso_url_name: 'lictor-saml',
    },
    protocolMappers: [
      {
        name: 'groups',
        protocol: 'saml',
        protocolMapper: 'saml-group-membership-mapper',
        config: { 'attribute.name': 'groups', 'attribute.nameformat': 'Basic', single: 'false', 'full.path': 'false' },
      },
    ],
  });
  return text(field(list(await admin('GET', `/clients?clientId=${encodeURIComponent(clientId)}`))[0], 'id'));
}

async function addUser(admin: Admin, name: string, groups: readonly string[]): Promise<{ readonly name: string; readonly password: string }> {
  const password = `${name}-password`;
  await admin('POST', '/users', {
    username: name,
    enabled: true,
    emailVerified: true,
    email: `${name}@example.com`,
    firstName: name,
    lastName: 'Example',
    groups: groups.map((group) => `/${group}`),
    credentials: [{ type: 'password', value: password, temporary: false }],
  });
  return { name, password };
}

async function setGroups(admin: Admin, userId: string, wanted: readonly string[]): Promise<void> {
  for (const group of list(await admin('GET', '/groups'))) {
    const method = wanted.includes(text(field(group, 'name'))) ? 'PUT' : 'DELETE';
    await admin(method, `/users/${userId}/groups/${text(field(group, 'id'))}`);
  }
}

async function addSigningKey(admin: Admin): Promise<void> {
  await admin('POST', '/components', {
    name: `rsa-${Date.now()}`,
    providerId: 'rsa-generated',
    providerType: 'org.keycloak.keys.KeyProvider',
    config: { priority: [String(Date.now())], enabled: ['true'], active: ['true'], algorithm: ['RS256'], keySize: ['2048'] },
  });
}
