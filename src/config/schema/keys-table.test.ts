import { describe, expect, it } from 'vitest';
import { jsonSchema } from './index.ts';
import { schemaKeys } from './keys.ts';
import { renderKeysTable } from './keys-table.ts';

const SECRETS_OF_SERVICES = ['header.value', 'basic.password', 'query.value', 'oauth.client_secret'].map((key) => `services[].inject.${key}`);
const keys = schemaKeys(jsonSchema());

describe('every key of lictor.yaml', () => {
  it('says what it is for', () => {
    expect(keys.filter(({ node }) => typeof node['description'] !== 'string').map(({ place }) => place)).toEqual([]);
  });

  it('that may be in a separate file is a secret', () => {
    const places = keys.map(({ place }) => place);
    const besideFile = keys.filter(({ place }) => places.includes(`${place}_file`));
    expect(besideFile.map(({ place }) => place)).toEqual(['prefect.auth_string', 'identity_providers[oidc].client_secret', ...SECRETS_OF_SERVICES]);
    expect(besideFile.filter(({ node }) => node['writeOnly'] !== true)).toEqual([]);
  });

  it('is marked when it needs a restart', () => {
    const table = renderKeysTable();
    expect(table).toMatch(/\| `store` \|.*\*\*Needs a restart\*\*: it is open\./);
    expect(table).toMatch(/\| `roles\[\]\.role` \| `viewer`, .* \| required \|/);
    expect(table).not.toMatch(/\| `roles` \|.*Needs a restart/);
  });
});
