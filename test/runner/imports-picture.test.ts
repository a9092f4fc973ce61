import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { arrowsUp, importsOf, reduced, renderImports, sourceFiles } from './imports-picture.ts';

describe('the picture of the imports', () => {
  const arrows = importsOf(sourceFiles());

  it('is made of the imports that are there (npm run docs)', () => {
    expect(arrows.length).toBeGreaterThan(100);
    expect(readFileSync(join(REPOSITORY, 'docs/explanation/imports.svg'), 'utf8')).toBe(renderImports(reduced(arrows)));
  });

  it('has no arrow up, and would show one', () => {
    expect(arrowsUp(arrows)).toEqual([]);
    const up = importsOf(new Map([['contract/x.ts', "import { y } from '../cli/y.ts';\nimport type { z } from './z.ts';\n"]]));
    expect(arrowsUp(up)).toEqual(['contract imports cli']);
  });

  it('leaves out what follows from others, and nothing else', () => {
    const [direct, ...others] = [
      ['cli', 'contract'],
      ['cli', 'http'],
      ['http', 'contract'],
    ] as const;
    expect(reduced([direct, ...others])).toEqual(others);
    expect(reduced([direct])).toEqual([direct]);
  });
});
