// What Lictor supports, as SCIM clients discover it: ServiceProviderConfig, ResourceTypes, Schemas.
import type { Json } from './attributes.ts';

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group';
/** The most resources of one page. */
export const MOST = 200;

const DEFAULTS = { multiValued: false, required: false, caseExact: false, mutability: 'readWrite', returned: 'default', uniqueness: 'none' } as const;

function attribute(name: string, description: string, more: Json = {}): Json {
  return { name, type: 'string', description, ...DEFAULTS, ...more };
}

const SCHEMAS: readonly Json[] = [
  {
    id: USER_SCHEMA,
    name: 'User',
    description: 'A person of the identity provider.',
    attributes: [
      attribute('userName', 'The name that the person logs in with.', { required: true, uniqueness: 'server' }),
      attribute('displayName', 'The name for people.'),
      attribute('active', 'false: the person has no access.', { type: 'boolean' }),
      attribute('name', 'The parts of the name.', {
        type: 'complex',
        subAttributes: [attribute('formatted', 'The whole name.'), attribute('familyName', 'The family name.'), attribute('givenName', 'The given name.')],
      }),
      attribute('emails', 'Addresses of the person.', {
        type: 'complex',
        multiValued: true,
        subAttributes: [
          attribute('value', 'The address.'),
          attribute('type', 'work, home or other.'),
          attribute('primary', 'true: the preferred address.', { type: 'boolean' }),
        ],
      }),
    ],
  },
  {
    id: GROUP_SCHEMA,
    name: 'Group',
    description: 'A group of people: group:NAME@PROVIDER in lictor.yaml.',
    attributes: [
      attribute('displayName', 'The name that lictor.yaml has.', { required: true, uniqueness: 'server' }),
      attribute('members', 'The people of the group.', {
        type: 'complex',
        multiValued: true,
        subAttributes: [
          attribute('value', 'The id of the user.', { mutability: 'immutable', caseExact: true }),
          attribute('$ref', 'The address of the user.', { type: 'reference', referenceTypes: ['User'], mutability: 'immutable', caseExact: true }),
          attribute('type', 'User.', { mutability: 'immutable', canonicalValues: ['User'] }),
        ],
      }),
    ],
  },
];

interface Discovered {
  readonly id: string;
  readonly resource: Json;
}

/** By the last part of the path. `base`: the address of this API. */
export function discoveryOf(base: string): Readonly<Record<string, readonly Discovered[]>> {
  const meta = (resourceType: string, path: string): Json => ({ resourceType, location: `${base}/${path}` });
  const type = (name: string, endpoint: string, schema: string): Discovered => {
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'];
    return { id: name, resource: { schemas, id: name, name, endpoint, description: name, schema, meta: meta('ResourceType', `ResourceTypes/${name}`) } };
  };
  return {
    resourcetypes: [type('User', '/Users', USER_SCHEMA), type('Group', '/Groups', GROUP_SCHEMA)],
    schemas: SCHEMAS.map((schema) => {
      const id = String(schema['id']);
      return { id, resource: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'], ...schema, meta: meta('Schema', `Schemas/${id}`) } };
    }),
  };
}

export function serviceProviderConfig(base: string): Json {
  const no = { supported: false };
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: { ...no, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: MOST },
    ...{ changePassword: no, sort: no, etag: no },
    authenticationSchemes: [{ type: 'oauthbearertoken', name: 'Bearer token', description: 'The token of scim.token_file in lictor.yaml.', primary: true }],
    meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
  };
}
