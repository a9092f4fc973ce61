import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSealer } from './sealer.ts';

const place = (): string => join(mkdtempSync(join(tmpdir(), 'lictor-keys-')), 'keys', 'seal.key');

describe('sealer', () => {
  it('opens what it sealed, after a restart too; the key is private', () => {
    const file = place();
    const sealed = openSealer(file).seal('refresh token', 'session 1');
    expect(sealed).not.toContain('refresh');
    expect(openSealer(file).open(sealed, 'session 1')).toBe('refresh token');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('opens nothing that belongs to something else, was altered, or was sealed with another key', () => {
    const sealer = openSealer(place());
    const sealed = sealer.seal('secret', 'session 1');
    const altered = `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`;
    expect(sealer.open(sealed, 'session 2')).toBeUndefined();
    expect(sealer.open(altered, 'session 1')).toBeUndefined();
    expect(sealer.open('', 'session 1')).toBeUndefined();
    expect(openSealer(place()).open(sealed, 'session 1')).toBeUndefined();
  });

  it('seals the same secret differently each time', () => {
    const sealer = openSealer(place());
    expect(sealer.seal('secret', 'a')).not.toBe(sealer.seal('secret', 'a'));
  });

  it('refuses a file that holds no key, and leaves it', () => {
    const file = place();
    openSealer(file);
    writeFileSync(file, 'damaged');
    expect(() => openSealer(file)).toThrow(/holds no key/);
    expect(readFileSync(file, 'utf8')).toBe('damaged');
  });
});
