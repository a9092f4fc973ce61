// Metadata in files, checked before the first login.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../../config/config.ts';
import { checkMetadataFiles } from './check-files.ts';
import { metadataText, NOW_MS, newKey } from './idp.fixture.ts';

let directory: string;
let good: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-test-metadata-'));
  good = metadataText({ keys: [await newKey()] });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function check(text: string) {
  const file = join(directory, 'metadata.xml');
  writeFileSync(file, text);
  const provider = { type: 'saml', groupsAttribute: 'groups', idpInitiated: false, caFile: null } as const;
  const identityProviders: Config['identityProviders'] = [
    { id: 'far', ...provider, metadata: { url: 'https://idp.example/metadata' } },
    { id: 'near', ...provider, metadata: { file } },
  ];
  return checkMetadataFiles({ identityProviders }, NOW_MS);
}

describe('metadata in a file', () => {
  it('that is usable is not a problem, and metadata at an address is not read', () => {
    expect(check(good)).toEqual([]);
  });

  it.each<readonly [string, (text: string) => string, RegExp]>([
    ['empty', () => '', /is of no use/],
    ['no XML', () => 'secret words', /is of no use/],
    ['of a service provider', (text) => text.replaceAll('IDPSSODescriptor', 'SPSSODescriptor'), /describes 0 identity providers/],
    ['without a certificate', (text) => text.replace(/<md:KeyDescriptor.*<\/md:KeyDescriptor>/, ''), /no certificate for signing/],
    ['with an entity', (text) => `<!DOCTYPE x [<!ENTITY e "x">]>${text}`, /is of no use/],
    ['out of date', (text) => text.replace('entityID=', 'validUntil="2001-01-01T00:00:00Z" entityID='), /no longer valid/],
    ['with a login that is not https', (text) => text.replace('https://idp.example/sso', 'http://idp.example/sso'), /no https address/],
  ])('that is %s is named with its place, and nothing of it is repeated', (_what, change, words) => {
    const problems = check(change(good));
    expect(problems).toMatchObject([
      { path: 'identity_providers[1].metadata_file', message: expect.stringMatching(words), remedy: expect.stringMatching(/./) },
    ]);
    expect(JSON.stringify(problems)).not.toContain('secret words');
  });
});
