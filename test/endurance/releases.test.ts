// The releases of Prefect that people run, each behind a separate gateway. The short form: test/integration/old-servers.test.ts.
import { describe } from 'vitest';
import { openRelease, RELEASES, releaseChecks } from '../integration/old-servers/release.ts';

describe.each(RELEASES)('Prefect %s', (version, venv) => releaseChecks(version, openRelease(version, venv)));
