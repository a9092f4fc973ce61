// `lictor check`: renders the configuration and lets nginx test it, without touching the one in use.

import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type Ensured, ensureOwnCertificate } from '../../config/certificates/own.ts';
import type { Config } from '../../config/config.ts';
import { openEdgeSecret } from '../../config/keys/edge-secret.ts';
import { readMachine } from '../../config/machine.ts';
import type { Problem } from '../../config/problem.ts';
import { ownCertificatePaths, type StatePaths } from '../../config/state-dir.ts';
import { nginxWorkerUser } from '../../config/worker-user.ts';
import { type Clock, systemClock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { testEdge, writeEdge } from './apply.ts';
import { prepareBalancer } from './balancer.ts';
import { lintEdge } from './lint.ts';
import { type EdgeFiles, renderEdge } from './render.ts';
import { prepareTempDir } from './temp-dir.ts';
import { findNginx, type NginxVersion } from './version.ts';

/** Finds on this machine everything that the renderer needs. */
export async function renderHere(
  config: Config,
  paths: StatePaths,
  env: NodeJS.ProcessEnv,
  clock: Clock = systemClock,
): Promise<{ files: EdgeFiles; version: NginxVersion; certificate: Ensured | null }> {
  const version = await findNginx(env);
  const workerUser = nginxWorkerUser();
  const tempDir = prepareTempDir(paths, workerUser);
  prepareBalancer(paths);
  const certificate = config.tls?.selfMadeBy == null ? null : await ensureOwnCertificate({ ...config, paths: paths.ownCertificate, nowMs: clock() });
  const machine = readMachine();
  const files = renderEdge({
    config,
    paths,
    operations: OPERATIONS,
    version,
    workerUser: workerUser?.name ?? null,
    tempDir,
    workers: Math.max(2, machine.processors),
    openFiles: machine.openFiles,
    node: `${hostname()}:${paths.root}`,
    edgeSecret: openEdgeSecret(paths),
  });
  return { files, version, certificate };
}

export async function checkEdge(
  config: Config,
  paths: StatePaths,
  env: NodeJS.ProcessEnv = process.env,
  clock: Clock = systemClock,
): Promise<readonly Problem[]> {
  const aside = join(paths.edge, `check-${process.pid}`);
  let dir: string | undefined;
  try {
    const { files, version } = await renderHere(await withOwnCertificate(config, { paths, aside, nowMs: clock() }), paths, env, clock);
    dir = writeEdge(files, paths.edge);
    await testEdge(version, paths, join(dir, 'nginx.conf'));
    return lintEdge(files).map((message) => ({ path: '', message, remedy: 'This is a defect of Lictor: report it.' }));
  } catch (error) {
    if (error instanceof LictorError && error.code === 'own-certificate-unusable')
      return [{ path: 'tls.self_made', message: error.message, remedy: 'Fix what is named, then check again.' }];
    if (error instanceof LictorError) return [rejectedByNginx(error.message)];
    throw error;
  } finally {
    for (const made of [aside, ...(dir === undefined ? [] : [dir])]) rmSync(made, { recursive: true, force: true });
  }
}

const UNRESOLVED = /host not found in upstream "([^":]+)/;

function rejectedByNginx(message: string): Problem {
  const host = UNRESOLVED.exec(message)?.[1];
  if (host === undefined) return { path: '', message, remedy: 'Fix what nginx names, then check again.' };
  return { path: '', message: `this machine cannot resolve the name ${host}`, remedy: 'Write an address, or a name that this machine resolves.' };
}

interface Looking {
  readonly paths: StatePaths;
  readonly aside: string;
  readonly nowMs: number;
}

/** The running gateway may have another host name than this configuration. So this check creates a separate authority in `aside`. */
async function withOwnCertificate(config: Config, { paths, aside, nowMs }: Looking): Promise<Config> {
  const { publicUrl, tls } = config;
  if (tls?.selfMadeBy == null) return config;
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  const elsewhere = ownCertificatePaths(aside);
  await ensureOwnCertificate({ publicUrl, paths: paths.ownCertificate, elsewhere, nowMs });
  if (!existsSync(elsewhere.dir)) return config;
  return { ...config, tls: { ...tls, certFile: elsewhere.serverFile, keyFile: elsewhere.serverFile, selfMadeBy: null } };
}
