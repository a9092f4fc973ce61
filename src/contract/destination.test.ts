import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isListed, readAbsolute, readAuthority, readPattern } from './destination.ts';

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/);

describe('the authority of CONNECT', () => {
  it.each([
    ['api.example.com:443', 'api.example.com'],
    ['API.Example.COM.:443', 'api.example.com'],
    ['xn--bcher-kva.example:443', 'xn--bcher-kva.example'],
    ['my_host.example:443', 'my_host.example'],
  ])('is a name on port 443: %s', (target, host) => expect(readAuthority(target)).toEqual({ host, port: 443, problem: null }));

  it.each([
    ['api.example.com:80', 'host-port'],
    ['api.example.com:22', 'host-port'],
    ['169.254.169.254:443', 'host-literal'],
    ['169.254.169.254.:443', 'host-literal'],
    ['2130706433:443', 'host-literal'],
    ['0x7f000001:443', 'host-literal'],
    ['0x7f.1:443', 'host-literal'],
    ['0177.0.0.1:443', 'host-literal'],
    ['127.1:443', 'host-literal'],
    ['[::1]:443', 'host-literal'],
    ['[::ffff:127.0.0.1]:443', 'host-literal'],
    ['api.example.com', 'request-invalid'],
    ['api.example.com:', 'request-invalid'],
    ['user@api.example.com:443', 'request-invalid'],
    ['api.example.com:443/path', 'request-invalid'],
    ['api.example.com..:443', 'request-invalid'],
    ['b\u00fccher.example:443', 'request-invalid'],
    ['api.exam%70le.com:443', 'request-invalid'],
    ['::1:443', 'request-invalid'],
    ['-a.example:443', 'request-invalid'],
    ['http://api.example.com:443', 'request-invalid'],
    ['', 'request-invalid'],
  ])('is nothing else: %s', (target, problem) => expect(readAuthority(target).problem).toBe(problem));
});

describe('the target of a plain request', () => {
  it.each([
    ['http://api.example.com', '/'],
    ['http://api.example.com:80/a?b=c', '/a?b=c'],
    ['HTTP://API.example.com?x', '/?x'],
    ['http://api.example.com/a//b/../c', '/a//b/../c'],
  ])('is in absolute form on port 80: %s', (target, path) => expect(readAbsolute(target)).toEqual({ host: 'api.example.com', port: 80, path, problem: null }));

  it.each([
    ['/path', 'request-invalid'],
    ['*', 'request-invalid'],
    ['//api.example.com/', 'request-invalid'],
    ['http://user:secret@api.example.com/', 'request-invalid'],
    ['http://api.example.com\\@evil.test/', 'request-invalid'],
    ['http://api.example.com/#frag', 'request-invalid'],
    ['http://api.example.com/a b', 'request-invalid'],
    ['http:api.example.com/', 'request-invalid'],
    ['ftp://api.example.com/', 'request-invalid'],
    ['https://api.example.com/', 'host-port'],
    ['http://api.example.com:443/', 'host-port'],
    ['http://api.example.com:8080/', 'host-port'],
    ['http://127.0.0.1/', 'host-literal'],
    ['http://[::1]/', 'host-literal'],
    ['http://1/', 'host-literal'],
  ])('is nothing else: %s', (target, problem) => expect(readAbsolute(target).problem).toBe(problem));

  it('shows no user information to a record', () => {
    expect(JSON.stringify([readAbsolute('http://user:secret@api.example.com/'), readAuthority('user:secret@api.example.com:443')])).not.toContain('secret');
  });
});

describe('the allow list', () => {
  it('takes names, and everything below a name on a dot boundary', () => {
    const patterns = ['api.example.com', '*.pypi.example'];
    expect(['api.example.com', 'a.pypi.example', 'a.b.pypi.example'].map((host) => isListed(patterns, host))).toEqual([true, true, true]);
    const others = ['example.com', 'a.api.example.com', 'xapi.example.com', 'pypi.example', 'evilpypi.example', 'a.pypi.example.evil.test', '.pypi.example'];
    expect(others.map((host) => isListed(patterns, host))).toEqual(others.map(() => false));
  });

  it('never lets the end of another name through', () => {
    fc.assert(
      fc.property(fc.array(label, { minLength: 2, maxLength: 4 }), label, (labels, extra) => {
        const name = labels.join('.');
        expect(isListed([`*.${name}`], `${extra}.${name}`)).toBe(true);
        expect(isListed([`*.${name}`], `${extra}${name}`)).toBe(false);
        expect(isListed([`*.${name}`], name)).toBe(false);
        expect(isListed([`*.${name}`], `${name}.${extra}`)).toBe(false);
      }),
    );
  });

  it.each([
    ['API.Example.com.', 'api.example.com'],
    ['*.Example.com', '*.example.com'],
  ])('is normalised: %s', (text, pattern) => expect(readPattern(text)).toBe(pattern));

  it.each([
    '*',
    '*.',
    '*.com',
    'localhost',
    '10.0.0.1',
    '[::1]',
    '1',
    'api.example.com:443',
    'a.*.example.com',
    'http://a.example.com',
    '**.example.com',
    'b\u00fccher.example',
    '',
  ])('has no room for: %s', (text) => expect(readPattern(text)).toBeUndefined());
});
