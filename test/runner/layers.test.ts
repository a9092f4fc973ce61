// The layer rules: every import of the gateway fits them, they know every folder, and they catch what they should.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { BESIDE_SRC, importsOf, layerProblems, partOf, ROWS, sourceImports } from './layers.ts';

const MOST_FOLDERS = 12;

describe('layers', () => {
  it('hold for every import of src, bench and demo', () => {
    const imports = sourceImports();
    expect(imports.length).toBeGreaterThan(3_000);
    expect(layerProblems(imports)).toEqual([]);
  });

  it('know every folder of src, and only folders stand there, at most twelve', () => {
    const entries = readdirSync(join(REPOSITORY, 'src'), { withFileTypes: true });
    expect(entries.filter((entry) => !entry.isDirectory())).toEqual([]);
    expect(entries.length).toBeLessThanOrEqual(MOST_FOLDERS);
    const known = new Set(ROWS.flat().map((part) => part.split('/')[0]));
    expect(entries.map(({ name }) => name).filter((name) => !known.has(name))).toEqual([]);
    for (const part of ROWS.flat()) expect(existsSync(join(REPOSITORY, BESIDE_SRC.includes(part) ? part : `src/${part}`)), part).toBe(true);
  });

  it('have the parts of a folder beside each other, so that no folder imports from one above it', () => {
    const folders = ROWS.flat().map((part) => part.split('/')[0] ?? '');
    const begun = folders.filter((folder, index) => folder !== folders[index - 1]);
    expect(begun.filter((folder, index) => begun.indexOf(folder) !== index)).toEqual([]);
  });

  it.each([
    ['src/store/x.ts', '../authorization/policy/y.ts'],
    ['src/store/deep/x.ts', '../../prefect/catalog/y.ts'],
    ['src/contract/x.ts', '../config/y.ts'],
    ['src/contract/x.ts', './json/y.ts'],
    ['src/proxies/forward/x.ts', '../relay/y.ts'],
    ['src/edge/http/x.ts', '../../app/app.ts'],
    ['src/app/app.ts', '../cli/y.ts'],
    ['src/authorization/decide/x.ts', '../../../test/env/y.ts'],
    ['src/cli/x.ts', '../../test/env/y.ts'],
    ['src/operations/doctor/x.ts', '../../../demo/y.ts'],
    ['src/proxies/relay/x.ts', '../../cli/sidecar/y.ts'],
    ['src/edge/nginx/x.ts', '../../proxies/egress/y.ts'],
    ['src/elsewhere/x.ts', '../contract/y.ts'],
    ['demo/x.ts', '../bench/y.ts'],
    ['demo/x.ts', '../src/cli/y.ts'],
  ])('forbid that %s imports %s', (file, specifier) => {
    for (const text of [
      `import type { Thing } from '${specifier}';`,
      `export * from '${specifier}';`,
      `await import('${specifier}')`,
      `import '${specifier}';`,
    ])
      expect(layerProblems(importsOf(file, text)), text).toHaveLength(1);
  });

  it.each([
    ['src/store/x.ts', '../config/y.ts'],
    ['src/store/x.ts', './deep/y.ts'],
    ['src/contract/json/x.ts', '../y.ts'],
    ['src/app/app.ts', '../edge/http/y.ts'],
    ['src/cli/x.ts', '../operations/supervise/y.ts'],
    ['src/cli/x.ts', '../../bench/y.ts'],
    ['src/cli/x.ts', './sidecar/y.ts'],
    ['src/cli/x.ts', '../../test/runner/y.ts'],
    ['src/proxies/relay/x.ts', '../egress/y.ts'],
    ['bench/x.ts', '../demo/y.ts'],
  ])('let %s import %s', (file, specifier) => {
    expect(layerProblems(importsOf(file, `import type { Thing } from '${specifier}';`))).toEqual([]);
  });

  it('name the part by the longest path', () => {
    expect(['src/cli/main.ts', 'src/cli/sidecar/check.ts', 'bench/bench.ts', 'src/bench/x.ts'].map(partOf)).toEqual(['cli', 'cli/sidecar', 'bench', undefined]);
  });
});
