import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const NGINX = join(import.meta.dirname, '../../nginx');
const text = ['decision.conf', 'refusals.conf'].map((name) => readFileSync(join(NGINX, name), 'utf8')).join('');
const rendered = readFileSync(join(import.meta.dirname, 'render-servers.ts'), 'utf8');
const unchecked = [...rendered.matchAll(/if \(\$uri = "(.*?)"\) \{ break; \}/g)].map(([, path = '']) => path);

describe('a path that no check looks at', () => {
  it('is one of three', () => expect(unchecked).toHaveLength(3));

  // nginx before 1.21.1 takes a request with both a length and a coding: what follows it on the connection may be another's.
  it.each(unchecked)('closes the connection of whoever asks for it from outside: %s', (path) => {
    const location = text.slice(text.indexOf(`location = ${path} {`));
    expect(location.slice(0, location.indexOf('\n}'))).toMatch(/internal;\n[^}]*error_page 404 = @not_found_closing;/);
  });
});
