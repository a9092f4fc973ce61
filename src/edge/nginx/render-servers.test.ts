import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stubConfig } from '../../../test/env/stub-edge.ts';
import { renderServers } from './render-servers.ts';
import { parseNginxVersion } from './version.ts';

const NGINX = join(import.meta.dirname, '../../../nginx');
const text = ['decision.conf', 'refusals.conf'].map((name) => readFileSync(join(NGINX, name), 'utf8')).join('');
const rendered = readFileSync(join(import.meta.dirname, 'render-servers.ts'), 'utf8');
const unchecked = [...rendered.matchAll(/if \(\$uri = "(.*?)"\) \{ break; \}/g)].map(([, path = '']) => path);

describe('a path that no check looks at', () => {
  it('is one of three', () => expect(unchecked).toHaveLength(3));

  // nginx before 1.21.1 accepts a request with a length and a coding. Bytes after it may be another client's request.
  it.each(unchecked)('closes the connection of a client that requests it from outside: %s', (path) => {
    const location = text.slice(text.indexOf(`location = ${path} {`));
    expect(location.slice(0, location.indexOf('\n}'))).toMatch(/internal;\n[^}]*error_page 404 = @not_found_closing;/);
  });
});

describe('the names that are served', () => {
  const namesOf = (hostname: string): readonly string[] => {
    const config = stubConfig(4280, { url: 'http://127.0.0.1:4200', authString: 'user:not-a-secret' });
    const text = renderServers({
      config: { ...config, publicUrl: { ...config.publicUrl, hostname } },
      operations: [],
      version: parseNginxVersion('nginx', 'nginx/1.22.1'),
    });
    return /server_name "(.*)";/.exec(text)?.[1]?.split('" "') ?? [];
  };

  it.each(['lictor.localhost', '127.0.0.2'])('are those of the machine itself, and %s where that is public_url', (hostname) => {
    expect(namesOf(hostname)).toEqual(['localhost', '127.0.0.1', '[::1]', hostname]);
  });

  it('are public_url alone elsewhere, and nothing twice', () => {
    expect(namesOf('prefect.example.com')).toEqual(['prefect.example.com']);
    expect(namesOf('localhost')).toEqual(['localhost', '127.0.0.1', '[::1]']);
  });
});
