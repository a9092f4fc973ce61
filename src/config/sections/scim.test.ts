// scim: which provider each token is for, and what a token must be.
import { execFileSync } from 'node:child_process';
import { afterAll, expect, it } from 'vitest';
import { docsBlock } from '../../../test/env/docs.ts';
import { openTestFile } from '../test-file.ts';

const file = openTestFile();
const { accepted, directory, places, problems, write } = file;
afterAll(() => file.remove());

const ONE = 'one-token-of-forty-characters-0123456789';
const TWO = 'two-token-of-forty-characters-0123456789';
const SHORT = 'a-short-secret';
for (const [name, text] of Object.entries({ one: `${ONE}\n`, two: TWO, short: SHORT })) write(name, text, 0o600);

const yaml = (scim: string, providers: readonly string[] = ['corp']): string => {
  const list = providers.map((id) => `{ id: ${id}, type: oidc, issuer: "https://${id}.example.com", client_id: lictor }`);
  const all = [...list, '{ id: ci, type: jwt, issuer: "https://ci.example.com", audience: lictor }'];
  return `public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:4200" }\nidentity_providers: [ ${all.join(', ')} ]\nscim: ${scim}\n`;
};

it('is as docs/how-to/scim.md has it, with the token that its command makes', () => {
  const here = (text: string): string => text.replaceAll('/etc/lictor/', `${directory}/`);
  write('oidc', 'the client secret');
  execFileSync('sh', ['-c', here(docsBlock('how-to/scim.md', '(umask 077'))]);
  const config = accepted(
    `public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:4200" }\n${here(docsBlock('how-to/scim.md', 'identity_providers:'))}`,
  );
  expect(config.scim).toEqual([{ idp: 'corp', token: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
});

it('is for the only provider that people log in at, or for the named ones', () => {
  expect(accepted(yaml('{ token_file: one }')).scim).toEqual([{ idp: 'corp', token: ONE }]);
  const several = '[ { token_file: one, provider: corp }, { token_file: two, provider: okta } ]';
  expect(accepted(yaml(several, ['corp', 'okta'])).scim).toEqual([
    { idp: 'corp', token: ONE },
    { idp: 'okta', token: TWO },
  ]);
});

it('rejects a provider that is not named clearly, and is no login', () => {
  expect(places(yaml('{ token_file: one }', ['corp', 'okta']))).toEqual(['scim.provider']);
  expect(places(yaml('{ token_file: one }', []))).toEqual(['scim.provider']);
  expect(places(yaml('{ token_file: one, provider: ci }'))).toEqual(['scim.provider']);
  expect(places(yaml('[ { token_file: one, provider: nope } ]'))).toEqual(['scim[0].provider']);
});

it('rejects a short token, one token for two providers, and a provider twice, and shows no token', () => {
  expect(places(yaml('{ token_file: short }'))).toEqual(['scim.token_file']);
  expect(places(yaml('[ { token_file: one, provider: corp }, { token_file: one, provider: okta } ]', ['corp', 'okta']))).toEqual(['scim']);
  expect(places(yaml('[ { token_file: one, provider: corp }, { token_file: two, provider: corp } ]'))).toEqual(['scim']);
  expect(JSON.stringify(problems(yaml('{ token_file: short }')))).not.toContain(SHORT);
});
