import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PREFECT_VERSION } from '../../cli/prefect-venv.ts';
import { reportFormerKeys } from '../../config/former-keys.ts';
import { createProblemList } from '../../config/report.ts';
import { statePaths } from '../../config/state-dir.ts';
import { SUPPORTED } from '../../prefect/catalog/versions.ts';
import { upstreamTrust } from '../doctor/outside/trust.ts';
import { checkStateVersions } from './state.ts';
import { checkTestedNginx, checkTestedPrefect } from './versions.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lictor-upgrade-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('a former key', () => {
  const former = [
    { at: ['roles', '*', 'on'], since: '0.2.0', remedy: 'Write scope instead.' },
    { at: ['mode'], since: '0.3.0', remedy: 'Write observe.', values: (value: unknown) => value === 'watch' },
  ];
  const problemsOf = (data: unknown) => {
    const problems = createProblemList(() => undefined);
    reportFormerKeys(data, problems.report, former);
    return problems.all();
  };

  it('is named at each of its places, with the release and what to write', () => {
    expect(problemsOf({ roles: [{ role: 'viewer' }, { on: 'x' }], mode: 'watch' })).toEqual([
      { path: 'roles[1].on', message: 'Lictor 0.2.0 and newer do not have this key', remedy: 'Write scope instead.' },
      { path: 'mode', message: 'Lictor 0.3.0 and newer do not have this value', remedy: 'Write observe.' },
    ]);
  });

  it('is not named with another value, nor where the file has none', () => expect(problemsOf({ roles: {}, mode: 'observe' })).toEqual([]));
});

describe('an older state directory', () => {
  it('is migrated by the first start, which makes a copy', async () => {
    const paths = statePaths(root, root);
    writeFileSync(paths.version, '1\n');
    using ledger = new DatabaseSync(paths.ledgerFile);
    ledger.exec('PRAGMA user_version = 2; CREATE TABLE t (x)');
    const [directory, ofLedger, ...others] = await checkStateVersions({ paths, storeAt: join(root, 'none.db'), version: 2 });
    expect(directory).toMatchObject({ status: 'warn', message: expect.stringContaining('has version 1: the first lictor up changes it to 2') });
    expect(directory?.remedy).toContain(paths.backup);
    expect([ofLedger, others]).toEqual([{ status: 'ok', message: 'the ledger has version 2, as this Lictor writes it', remedy: null }, []]);
  });

  it('is no problem where there is none yet', async () => {
    const paths = statePaths(join(root, 'none'), root);
    expect(await checkStateVersions({ paths, storeAt: paths.storeFile })).toMatchObject([{ status: 'ok' }]);
  });
});

describe('tested versions', () => {
  const nginx = (version: string) => {
    mkdirSync(join(root, version));
    writeFileSync(join(root, version, 'nginx'), `#!/bin/sh\necho 'nginx version: nginx/${version}' >&2\n`, { mode: 0o755 });
    return checkTestedNginx({ LICTOR_NGINX: join(root, version, 'nginx') });
  };

  it('are named for an nginx that is newer', async () => {
    expect(await nginx('1.30.9')).toMatchObject([{ status: 'ok' }]);
    expect(await nginx('1.31.0')).toMatchObject([{ status: 'warn', message: expect.stringContaining('newer than 1.30') }]);
  });

  it.each([
    ['3.3.0', 'fail', 'Prefect 3.3.0 is older than 3.4.0'],
    ['3.4.0', 'ok', 'in the tested range'],
    ['3.9.1', 'ok', 'in the tested range'],
    ['3.10.0', 'warn', 'Prefect 3.10.0 is newer than 3.9.1'],
  ])('are named for Prefect %s', async (version, status, words) => {
    const answer = { ok: true, status: 200, headers: {}, body: JSON.stringify(version), atMs: 0, setCookies: [] as string[], localAddress: '' } as const;
    const subject = { url: 'http://127.0.0.1:4200', authorization: null, tls: upstreamTrust([], null), probe: async () => answer };
    expect(await checkTestedPrefect(subject)).toMatchObject([{ status, message: expect.stringContaining(words) }]);
  });

  it('say nothing of a Prefect that does not answer', async () => {
    const subject = {
      url: 'http://127.0.0.1:4200',
      authorization: null,
      tls: upstreamTrust([], null),
      probe: async () => ({ ok: false, error: 'ECONNREFUSED' }) as const,
    };
    expect(await checkTestedPrefect(subject)).toEqual([]);
  });

  it('end with the Prefect of the tests', () => expect(SUPPORTED.newestTested).toBe(PREFECT_VERSION));
});
