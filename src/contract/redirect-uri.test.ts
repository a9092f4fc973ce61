import { describe, expect, it } from 'vitest';
import { isLoopbackRedirect, isRedirectUri, isSameRedirect, redirectTarget } from './redirect-uri.ts';

describe('a redirect URI', () => {
  it.each([
    'https://app.example/callback',
    'https://app.example:8443/callback?tenant=1',
    'http://localhost/callback',
    'http://127.0.0.1:8080/',
    'http://[::1]/callback',
    'cursor://anysphere.cursor-mcp/callback',
    'com.example.app:/callback',
  ])('may be %s', (uri) => expect(isRedirectUri(uri)).toBe(true));

  it.each([
    '',
    '/callback',
    'https:/app.example',
    'https://',
    'http://app.example/callback',
    'http://localhost.evil.example/callback',
    'http://127.0.0.1:80.evil.example/',
    'http://127.0.0.1@evil.example/',
    'http://10.0.0.1/callback',
    'https://user@app.example/',
    'https://app.example/#fragment',
    'https://app.example\\@evil.example/',
    'https://app.example/"onload=',
    'https://app.example/\r\nSet-Cookie: a=b',
    'https://app.example/ü',
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'HTTPS://app.example/',
    `https://app.example/${'x'.repeat(512)}`,
  ])('may not be %s', (uri) => expect(isRedirectUri(uri)).toBe(false));

  it('of a request is equal as a text, except for the port on loopback', () => {
    expect(isSameRedirect('https://a.example/cb', 'https://a.example/cb')).toBe(true);
    expect(isSameRedirect('http://127.0.0.1/cb', 'http://127.0.0.1:4711/cb')).toBe(true);
    expect(isSameRedirect('http://[::1]:1/cb', 'http://[::1]:2/cb')).toBe(true);
    for (const [registered, given] of [
      ['https://a.example/cb', 'https://a.example/CB'],
      ['https://a.example/cb', 'https://a.example:443/cb'],
      ['https://a.example/cb', 'https://a.example:4711/cb'],
      ['https://a.example/', 'https://a.example/cb'],
      ['http://127.0.0.1/cb', 'http://localhost:4711/cb'],
      ['http://127.0.0.1/cb', 'http://127.0.0.1:4711/cb/'],
      ['http://127.0.0.1/cb', 'http://127.0.0.1:4711/cb?x=1'],
      ['http://127.0.0.1/cb', 'https://127.0.0.1:4711/cb'],
    ] as const)
      expect(isSameRedirect(registered, given), `${registered} ${given}`).toBe(false);
  });

  it('is shown as its host, or as the scheme of an app', () => {
    expect(redirectTarget('https://a.example:8443/cb')).toBe('a.example:8443');
    expect(redirectTarget('cursor://mcp/cb')).toBe('cursor:');
    expect([isLoopbackRedirect('http://localhost:1/cb'), isLoopbackRedirect('https://localhost/cb')]).toEqual([true, false]);
  });
});
