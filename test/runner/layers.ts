// "Imports go down only": the parts of src, row by row, and the check of their imports, which `lictor test lint` runs.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY } from '../../src/cli/repository.ts';

/** A part may import the parts of earlier rows; parts of one row do not import each other. The parts of a folder of src stand in rows that follow each other. */
export const ROWS: readonly (readonly string[])[] = [
  ['contract'],
  ['contract/json', 'contract/scope'],
  ['contract/untrusted'],
  ['config'],
  ['config/certificates', 'config/keys'],
  ['store'],
  ['prefect/catalog', 'prefect/events', 'prefect/frames'],
  ['prefect/client'],
  ['prefect/scope-filter'],
  ['record/ledger'],
  ['record/metrics', 'record/replication', 'record/sinks', 'record/timeline'],
  ['identity/authn'],
  ['identity/manage', 'identity/oauth', 'identity/scim'],
  ['authorization/policy'],
  ['authorization/decide'],
  ['authorization/mediate'],
  ['authorization/agents', 'authorization/approvals'],
  ['authorization/explain'],
  ['proxies/egress', 'proxies/tunnels'],
  ['proxies/forward', 'proxies/relay'],
  ['edge/nginx'],
  ['edge/mcp'],
  ['edge/http'],
  ['app'],
  ['operations/evidence', 'operations/supervise'],
  ['operations/doctor'],
  ['operations/backup', 'operations/init', 'operations/migrate', 'operations/support', 'operations/upgrade'],
  ['demo'],
  ['bench'],
  ['cli/sidecar'],
  ['cli'],
];

/** What the rows would allow and the rules do not: the client side is for the command line alone, and nginx's configuration needs nothing that calls services. */
function isApart(part: string, other: string): boolean {
  return (other === 'cli/sidecar' && part !== 'cli') || (other === 'proxies/egress' && part === 'edge/nginx');
}

/** These stand beside src: the gateway needs neither. */
export const BESIDE_SRC: readonly string[] = ['bench', 'demo'];

const IMPORT = /(?:\bfrom|\bimport|\bimport\()\s*'(\.[^']+)'/g;

export interface Import {
  /** Paths below the repository. */
  readonly file: string;
  readonly target: string;
}

/** The imports of a file, its dynamic ones and those of types too. */
export function importsOf(file: string, text: string): readonly Import[] {
  return [...text.matchAll(IMPORT)].map(([, target = '']) => ({ file, target: join(dirname(file), target) }));
}

/** Every import between files of src, bench and demo. Tests and fixtures may import what they like and are left out. */
export function sourceImports(): readonly Import[] {
  const files = globSync('{src,bench,demo}/**/*.ts', { cwd: REPOSITORY }).filter((file) => !/\.(?:test|fixture)\.ts$/.test(file));
  return files.sort().flatMap((file) => importsOf(file, readFileSync(join(REPOSITORY, file), 'utf8')));
}

/** The part of a path, by the longest name; undefined: it is in none. */
export function partOf(path: string): string | undefined {
  const place = path.startsWith('src/') ? path.slice('src/'.length) : path;
  const parts = ROWS.flat().filter((part) => BESIDE_SRC.includes(part) !== path.startsWith('src/') && place.startsWith(`${part}/`));
  return parts.sort((a, b) => b.length - a.length)[0];
}

export function rowOf(part: string): number {
  return ROWS.findIndex((row) => row.includes(part));
}

/** A line for each import that does not go down. */
export function layerProblems(imports: readonly Import[]): readonly string[] {
  return imports.flatMap((each) => {
    const why = problemOf(each);
    return why === undefined ? [] : [`${each.file} imports ${each.target}: ${why}`];
  });
}

function problemOf({ file, target }: Import): string | undefined {
  const part = partOf(file);
  if (part === undefined) return 'its folder has no row in test/runner/layers.ts';
  // `lictor test` is the tests' own runner.
  if (target.startsWith('test/')) return part === 'cli' && target.startsWith('test/runner/') ? undefined : 'tests are not part of the gateway';
  const other = partOf(target);
  if (other === undefined || other === part) return undefined;
  return rowOf(other) < rowOf(part) && !isApart(part, other) ? undefined : `imports go down only, and ${part} may not import ${other}`;
}
