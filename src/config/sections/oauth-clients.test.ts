// oauth_clients: which clients people may log in with.
import { afterAll, describe, expect, it } from 'vitest';
import { docsBlock } from '../../../test/env/docs.ts';
import { openTestFile, SMALLEST } from '../test-file.ts';

const file = openTestFile();
const { accepted, problems } = file;
afterAll(() => file.remove());

describe('oauth_client_hosts', () => {
  it('are those of docs/how-to/oauth-clients.md, and none by default', () => {
    expect(accepted(`${SMALLEST}${docsBlock('how-to/oauth-clients.md', 'oauth_client_hosts:')}`).oauthClientHosts).toEqual([
      'vscode.dev',
      '*.agents.example.com',
    ]);
    expect(accepted(SMALLEST).oauthClientHosts).toEqual([]);
  });

  it.each(['"https://a.example"', '"*"', '"*.com"', 'localhost', '127.0.0.1', '"a.example:8443"', '"a.example/client.json"'])('rejects %s', (host) => {
    expect(problems(`${SMALLEST}oauth_client_hosts: [${host}]\n`).map(({ path }) => path)).toEqual(['oauth_client_hosts[0]']);
  });
});

describe('oauth_clients', () => {
  it('are those of docs/how-to/oauth-clients.md', () => {
    expect(accepted(`${SMALLEST}${docsBlock('how-to/oauth-clients.md', 'oauth_clients:')}`).oauthClients).toEqual([
      { id: 'inspector', name: 'MCP Inspector', redirectUris: ['http://127.0.0.1/oauth/callback'] },
    ]);
  });

  it('are none by default, and have their id as a name', () => {
    expect(accepted(SMALLEST).oauthClients).toEqual([]);
    const written = 'oauth_clients: [{ id: a.b_c-1, redirect_uris: ["https://a.example/cb"] }]\n';
    expect(accepted(`${SMALLEST}${written}`).oauthClients).toEqual([{ id: 'a.b_c-1', name: 'a.b_c-1', redirectUris: ['https://a.example/cb'] }]);
  });

  it.each([
    ['{ id: lictor-cli, redirect_uris: ["https://a.example/"] }', 'oauth_clients[0].id', /command line of Lictor/],
    ['{ id: "https://a.example/client.json", redirect_uris: ["https://a.example/"] }', 'oauth_clients[0].id', /letters, digits/],
    ['{ id: a, redirect_uris: [] }', 'oauth_clients[0].redirect_uris', /1/],
    ['{ id: a }', 'oauth_clients[0].redirect_uris', /./],
    ['{ id: a, redirect_uris: ["http://a.example/cb"] }', 'oauth_clients[0].redirect_uris[0]', /no redirect URI.*any port/],
    ['{ id: a, redirect_uris: ["javascript:alert(1)"] }', 'oauth_clients[0].redirect_uris[0]', /no redirect URI/],
    ['{ id: a, redirect_uris: ["https://a.example/"], secret: x }', 'oauth_clients[0].secret', /./],
    ['{ id: a, redirect_uris: ["https://a.example/"] }, { id: a, redirect_uris: ["https://b.example/"] }', 'oauth_clients[1].id', /stands twice/],
  ])('rejects %s', (clients, path, words) => {
    const found = problems(`${SMALLEST}oauth_clients: [${clients}]\n`);
    expect(found.map((problem) => problem.path)).toEqual([path]);
    expect(JSON.stringify(found)).toMatch(words);
  });
});
