// The SBOM (CycloneDX) of a release: the production part of package-lock.json. `npm sbom` lacks packages that development tools use too.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { REPOSITORY } from '../src/cli/repository.ts';

const NAMES = z.record(z.string(), z.string()).default({});

const ENTRY = z.object({
  version: z.string(),
  license: z.string().optional(),
  integrity: z.string().optional(),
  dependencies: NAMES,
  optionalDependencies: NAMES,
  peerDependencies: NAMES,
});

const LOCK = z.object({ packages: z.record(z.string(), z.looseObject({})) });

export interface LockedPackage {
  /** Where npm installs it: `node_modules/NAME`, or deeper. The root is ''. */
  readonly place: string;
  readonly name: string;
  readonly version: string;
  readonly license: string | undefined;
  readonly sha512: string | undefined;
  /** Places. */
  readonly dependsOn: readonly string[];
}

/** Its built files contain its dependencies. */
const CONSOLE = 'console';

/** The root, and what it and its console need in production: sorted by place. */
export function productionPackages(): readonly LockedPackage[] {
  const { packages } = LOCK.parse(JSON.parse(readFileSync(join(REPOSITORY, 'package-lock.json'), 'utf8')));
  const found = new Map<string, LockedPackage>();
  const visit = (place: string): void => {
    if (found.has(place)) return;
    const dependsOn = [...new Set((place === '' ? ['', CONSOLE] : [place]).flatMap((each) => needsOf(each, packages)))].sort();
    found.set(place, { ...described(place, ENTRY.parse(packages[place])), dependsOn });
    dependsOn.forEach(visit);
  };
  visit('');
  return [...found.values()].sort((a, b) => (a.place < b.place ? -1 : 1));
}

/** The places of what the package at this place needs. */
function needsOf(place: string, packages: Readonly<Record<string, unknown>>): readonly string[] {
  const { dependencies, optionalDependencies, peerDependencies } = ENTRY.parse(packages[place]);
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }).flatMap((name) => resolve(place, name, packages) ?? []);
}

function described(place: string, { version, license, integrity }: z.infer<typeof ENTRY>): Omit<LockedPackage, 'dependsOn'> {
  const name = place === '' ? 'lictor' : place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length);
  return {
    place,
    name,
    version,
    license,
    sha512: integrity === undefined ? undefined : Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex'),
  };
}

/** As Node does: beside the package, then further up. Undefined: an optional peer that is not installed. */
function resolve(place: string, name: string, packages: Readonly<Record<string, unknown>>): string | undefined {
  for (let above = place; ; above = above.slice(0, Math.max(0, above.lastIndexOf('node_modules/') - 1))) {
    const candidate = above === '' ? `node_modules/${name}` : `${above}/node_modules/${name}`;
    if (candidate in packages) return candidate;
    if (above === '') return undefined;
  }
}

/** Without a serial number and a time: the same lock file gives the same bytes. */
export function renderSbom(): string {
  const packages = productionPackages();
  const [root, ...components] = packages.map(component);
  const references = new Map(packages.map((each) => [each.place, purlOf(each)]));
  const dependencies = packages.map((each) => ({ ref: purlOf(each), dependsOn: [...new Set(each.dependsOn.map((place) => references.get(place)))] }));
  const bom = { bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, metadata: { component: { ...root, type: 'application' } } };
  return `${JSON.stringify({ ...bom, components: unique(components, 'bom-ref'), dependencies: unique(dependencies, 'ref') }, null, 1)}\n`;
}

function component(each: LockedPackage) {
  const purl = purlOf(each);
  return {
    type: 'library',
    'bom-ref': purl,
    name: each.name,
    version: each.version,
    ...(each.sha512 === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: each.sha512 }] }),
    ...(each.license === undefined ? {} : { licenses: [{ license: { id: each.license } }] }),
    purl,
  };
}

function purlOf({ name, version }: LockedPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** One version may be installed at several places. */
function unique<T extends object>(items: readonly T[], key: keyof T): readonly T[] {
  return [...new Map(items.map((item) => [item[key], item])).values()];
}
