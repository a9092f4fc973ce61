import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../test/env/free-port.ts';
import { stubConfig } from '../../../test/env/stub-edge.ts';
import { ensureOwnCertificate } from '../../config/certificates/own.ts';
import type { Config } from '../../config/config.ts';
import { prepareStateDir, removeRuntimeDir } from '../../config/runtime-dir.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { checkEdge } from './check.ts';

let root: string;
let paths: StatePaths;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'check-edge-'));
  paths = prepareStateDir(join(root, 'state'));
});
afterEach(() => {
  removeRuntimeDir(paths);
  rmSync(root, { recursive: true, force: true });
});

async function selfMadeFor(hostname: string): Promise<Config> {
  const { serverFile, caFile } = paths.ownCertificate;
  const plain = stubConfig(await freePort(), { url: 'http://127.0.0.1:4200', authString: 'user:not-a-secret' });
  const publicUrl = { ...plain.publicUrl, origin: `https://${hostname}`, hostname, secure: true };
  return { ...plain, publicUrl, tls: { certFile: serverFile, keyFile: serverFile, selfMadeBy: caFile, client: null } };
}

const served = () => readdirSync(paths.ownCertificate.dir).map((name) => [name, readFileSync(join(paths.ownCertificate.dir, name), 'utf8')]);

describe('a look at a configuration', () => {
  it('of another host leaves the authority that the running gateway has created, and no new one', async () => {
    await ensureOwnCertificate({ publicUrl: { hostname: 'old.example.com' }, paths: paths.ownCertificate, nowMs: Date.now() });
    const before = served();
    expect(await checkEdge(await selfMadeFor('new.example.com'), paths)).toEqual([]);
    expect(served()).toEqual(before);
    expect(readdirSync(paths.root).filter((name) => name.startsWith('tls'))).toEqual(['tls']);
    expect(readdirSync(paths.edge)).toEqual([]);
  });

  it('of a gateway that never ran finds no problem, and one with files that are not ours does', async () => {
    const config = await selfMadeFor('new.example.com');
    expect(await checkEdge(config, paths)).toEqual([]);
    rmSync(paths.ownCertificate.caFile);
    expect(await checkEdge(config, paths)).toMatchObject([{ path: 'tls.self_made' }]);
  });

  it('names a host that this machine cannot resolve, with a clear message', async () => {
    const config = stubConfig(await freePort(), { url: 'http://no-such-host.invalid:4200', authString: 'user:not-a-secret' });
    expect(await checkEdge(config, paths)).toMatchObject([{ message: 'this machine cannot resolve the name no-such-host.invalid' }]);
  });
});
