import { describe, expect, it } from 'vitest';
import { atLeast, nginxArgs, parseNginxVersion } from './version.ts';

describe('the nginx version', () => {
  it('is read from `nginx -v`', () => {
    expect(parseNginxVersion('nginx', 'nginx version: nginx/1.22.1\n')).toMatchObject({ major: 1, minor: 22, patch: 1, text: '1.22.1' });
    expect(parseNginxVersion('nginx', 'nginx version: nginx/1.18.0 (Ubuntu)')).toMatchObject({ minor: 18 });
  });
  it('refuses what does not answer like nginx', () => expect(() => parseNginxVersion('x', 'Apache/2')).toThrowError(/does not answer like nginx/));
  it('compares by number, not by text', () => {
    const version = parseNginxVersion('nginx', 'nginx/1.22.1');
    expect(atLeast(version, 1, 9, 99)).toBe(true);
    expect(atLeast(version, 1, 22, 1)).toBe(true);
    expect(atLeast(version, 1, 22, 2)).toBe(false);
    expect(atLeast(version, 1, 25, 1)).toBe(false);
  });
  it('gives -e only to those that know it', () => {
    expect(nginxArgs(parseNginxVersion('nginx', 'nginx/1.22.1'), '/e', '/e/n.conf', '/e/err')).toContain('-e');
    expect(nginxArgs(parseNginxVersion('nginx', 'nginx/1.18.0'), '/e', '/e/n.conf', '/e/err')).not.toContain('-e');
  });
});
