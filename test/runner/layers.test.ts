// The layer rules: they are the ones in use, they know every part, and they catch what they should.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { BESIDE_SRC, ROOT_FILES, ROWS, renderLayers } from './layers.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-layers-'));
  execFileSync('git', ['init', '-q', directory]);
  mkdirSync(join(directory, 'node_modules'));
  for (const file of ['biome.json', 'biome.layers.json', '.gitignore']) cpSync(join(REPOSITORY, file), join(directory, file));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Biome's errors about files with one import each, by file. */
function lint(imports: readonly (readonly [file: string, specifier: string])[]): Readonly<Record<string, string>> {
  for (const [file, specifier] of imports) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), `import type { Thing } from '${specifier}';\n\nexport type Other = Thing;\n`);
  }
  const folders = [...new Set(imports.map(([file]) => file.slice(0, file.indexOf('/'))))];
  const { stdout } = spawnSync(join(REPOSITORY, 'node_modules/.bin/biome'), ['lint', '--reporter=github', '--max-diagnostics=none', ...folders], {
    cwd: directory,
    encoding: 'utf8',
  });
  for (const folder of folders) rmSync(join(directory, folder), { recursive: true });
  const about = (file: string): string =>
    stdout
      .split('\n')
      .filter((line) => line.includes(`/${file},line=`))
      .join('\n');
  return Object.fromEntries(imports.map(([file]) => [file, about(file)]));
}

describe('layers', () => {
  it('are the ones in biome.layers.json (npm run layers)', () => {
    expect(readFileSync(join(REPOSITORY, 'biome.layers.json'), 'utf8')).toBe(renderLayers());
  });

  it('know every folder and file of src', () => {
    const entries = readdirSync(join(REPOSITORY, 'src'), { withFileTypes: true }).map(({ name }) => name);
    const known = new Set<string>([...ROWS.flat(), ...ROOT_FILES]);
    expect(entries.filter((name) => !known.has(name) && !name.endsWith('.test.ts'))).toEqual([]);
    expect(BESIDE_SRC.filter((name) => entries.includes(name) || !existsSync(join(REPOSITORY, name)))).toEqual([]);
  });

  it('forbid to import what is not below', () => {
    const found = lint([
      ['src/store/x.ts', '../policy/y.ts'],
      ['src/store/deep/x.ts', '../../catalog/y.ts'],
      ['src/contract/x.ts', '../config/y.ts'],
      ['src/relay/x.ts', '../mediate/y.ts'],
      ['src/http/x.ts', '../app.ts'],
      ['src/app.ts', './cli/y.ts'],
      ['src/decide/x.ts', '../../test/env/y.ts'],
      ['src/doctor/x.ts', '../../demo/y.ts'],
      ['src/relay/z.ts', '../sidecar/y.ts'],
      ['src/edge/x.ts', '../egress/y.ts'],
      ['demo/x.ts', '../bench/y.ts'],
      ['demo/z.ts', '../src/cli/y.ts'],
    ]);
    for (const [file, errors] of Object.entries(found)) expect(errors, file).toContain('Imports go down only');
  });

  it('let parts import what is below, and their tests what they like', () => {
    const found = lint([
      ['src/store/x.ts', '../config/y.ts'],
      ['src/store/z.ts', './deep/y.ts'],
      ['src/app.ts', './http/y.ts'],
      ['src/cli/x.ts', '../supervise/y.ts'],
      ['src/cli/z.ts', '../../bench/y.ts'],
      ['src/cli/w.ts', '../sidecar/y.ts'],
      ['src/relay/w.ts', '../egress/y.ts'],
      ['bench/x.ts', '../demo/y.ts'],
      ['src/store/x.test.ts', '../policy/y.ts'],
    ]);
    for (const [file, errors] of Object.entries(found)) expect(errors, file).not.toContain('noRestrictedImports');
  });
});
