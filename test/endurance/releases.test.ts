// The releases of Prefect that people run, each for real behind a gateway of its own. The short form: test/integration/old-servers.test.ts.
import { describe } from 'vitest';
import { oldServerVenv, prefectVenv } from '../env/venv.ts';
import { openRelease, releaseChecks } from '../integration/old-servers/release.ts';

const RELEASES: readonly (readonly [version: string, venv: () => Promise<string>])[] = [
  ['3.4.25', () => oldServerVenv('3.4.25')],
  ['3.6.13', () => oldServerVenv('3.6.13')],
  ['3.8.2', () => oldServerVenv('3.8.2')],
  ['3.9.1', prefectVenv],
];

describe.each(RELEASES)('Prefect %s', (version, venv) => releaseChecks(version, openRelease(version, venv)));
