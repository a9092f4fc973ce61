import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { renderConfig } from './proposal.ts';

it('gives the groups of a test login a role where a tag has their name, and else only proposes one', () => {
  const answers = { public_url: 'http://localhost:8200', issuer: 'https://idp.example.com', client_id: 'lictor', admins: ['group:platform'] };
  const files = { authStringFile: undefined, clientSecretFile: undefined };
  const groups = ['platform', 'team-a', 'all "staff"', ...Array.from({ length: 30 }, (_, index) => `g${index}`)];
  const text = renderConfig({ answers, servers: ['http://127.0.0.1:4200'], ...files, tags: ['team-a', 'nightly'], groups });
  const parsed: { readonly roles?: unknown } = parse(text);
  expect(parsed.roles).toEqual([
    { role: 'admin', members: ['group:platform@corp'] },
    { role: 'operator', members: ['group:team-a@corp'], scope: { tags: ['team-a'] } },
  ]);
  expect(text).toContain('  # - { role: viewer, members: ["group:all \\"staff\\"@corp"] }\n');
  expect(text.match(/# - \{ role: viewer/g)).toHaveLength(20);
});
