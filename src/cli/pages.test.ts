// Compares hand-written pages with lists in the code: keys that need a restart, roles, the form of vectors.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { docsBlock } from '../../test/env/docs.ts';
import { parseVectors } from '../authorization/policy/own/vectors.ts';
import { BUILT_IN_ROLES } from '../contract/roles.ts';
import { REPOSITORY } from './repository.ts';

const page = (name: string): string => readFileSync(join(REPOSITORY, name), 'utf8');

describe('what needs a restart', () => {
  const keys = [...page('docs/reference/configuration.md').matchAll(/^\| `([a-z_.]+)` .*\*\*Needs a restart\*\*/gm)].map(([, key = '']) => key);

  it.each([
    ['lictor.yaml', /^# SIGHUP applies .*$/m],
    ['docs/how-to/reload.md', /^\| .* \| restart: .*$/m],
    ['docs/how-to/upgrading.md', /^A reload .*$/m],
  ])('is said whole by %s, and nothing else', (name, line) => {
    const words = (line.exec(page(name))?.[0] ?? '').toLowerCase();
    expect(keys.length).toBeGreaterThan(4);
    for (const key of keys) expect(words).toContain(key);
    expect(words).not.toContain('roles');
  });
});

describe('the roles', () => {
  it.each(['lictor.yaml', 'docs/reference/policies.md'])('are all named by %s', (name) => {
    const line = page(name)
      .split('\n')
      .find((candidate) => candidate.includes('viewer, operator'));
    for (const role of BUILT_IN_ROLES) expect(line).toMatch(new RegExp(`\\b${role}\\b`));
  });
});

describe('the decision vector of docs/how-to/services.md', () => {
  const text = docsBlock('how-to/services.md', 'vectors:');

  it('is a file of vectors as it stands', () => {
    expect(parseVectors('billing.vectors.yaml', text)).toMatchObject({ problems: [], vectors: [{ name: 'team-a reads rates', expect: 'allow' }] });
  });

  it('would be none without its head', () => {
    expect(parseVectors('billing.vectors.yaml', text.replace('vectors:\n', '')).problems).not.toEqual([]);
  });
});
