import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { arrowsOf, reduced, renderImports } from './imports-picture.ts';
import { sourceImports } from './layers.ts';

describe('the picture of the imports', () => {
  const arrows = arrowsOf(sourceImports());

  it('is made of the imports that are there (npm run docs)', () => {
    expect(arrows.length).toBeGreaterThan(50);
    expect(readFileSync(join(REPOSITORY, 'docs/explanation/imports.svg'), 'utf8')).toBe(renderImports(reduced(arrows)));
  });

  it('leaves out what follows from others, and nothing else', () => {
    const [direct, ...others] = [
      ['cli', 'contract'],
      ['cli', 'edge'],
      ['edge', 'contract'],
    ] as const;
    expect(reduced([direct, ...others])).toEqual(others);
    expect(reduced([direct])).toEqual([direct]);
  });
});
