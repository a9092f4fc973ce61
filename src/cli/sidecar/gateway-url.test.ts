import { describe, expect, it } from 'vitest';
import { parseGatewayUrl } from './gateway-url.ts';

describe('the address of the gateway', () => {
  it.each([
    ['https://x.example', 'https://x.example', ''],
    ['https://x.example/api', 'https://x.example', ''],
    ['https://x.example:8443/prefect/api/', 'https://x.example:8443', '/prefect'],
    ['http://localhost:8200/api', 'http://localhost:8200', ''],
    ['http://127.0.0.1:8200', 'http://127.0.0.1:8200', ''],
  ])('%s', (text, origin, basePath) => {
    expect(parseGatewayUrl(text)).toMatchObject({ ok: true, address: { origin, basePath } });
  });

  it.each(['http://x.example', 'https://user:pass@x.example', 'https://x.example?a=1', 'ftp://x.example', 'x.example', ''])('is not %s', (text) => {
    const parsed = parseGatewayUrl(text);
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain('pass');
  });
});
