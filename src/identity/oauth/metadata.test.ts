// What the interface for agents says about its tokens, with a path in public_url.
import { expect, it } from 'vitest';
import { wellKnownPaths } from '../../contract/names.ts';
import { mcpResourceMetadata } from './metadata.ts';

const BELOW = { origin: 'https://prefect.example', hostname: 'prefect.example', port: 443, secure: true, basePath: '/prefect' };

it('below a path, the metadata is where the standard puts it, and below the path, where the challenge of the interface leads', () => {
  expect(wellKnownPaths('/prefect').mcpResource).toEqual([
    '/.well-known/oauth-protected-resource/.lictor/mcp',
    '/.well-known/oauth-protected-resource/prefect/.lictor/mcp',
    '/prefect/.well-known/oauth-protected-resource/.lictor/mcp',
  ]);
  expect(mcpResourceMetadata(BELOW)).toMatchObject({
    resource: 'https://prefect.example/prefect/.lictor/mcp',
    authorization_servers: ['https://prefect.example/prefect'],
  });
});
