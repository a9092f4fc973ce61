// Creates the self-made certificate before nginx needs it, and renews it in time. Never changes a file that Lictor did not create.
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { PublicUrl } from '../config.ts';
import type { OwnCertificatePaths } from '../state-dir.ts';
import { certificateHosts, type Host } from './hosts.ts';
import { type Authority, isDue, readAuthority, readServer, speaksFor, unusable } from './read.ts';

export interface OwnCertificate {
  readonly publicUrl: Pick<PublicUrl, 'hostname'>;
  readonly paths: OwnCertificatePaths;
  /** Creates another authority here if the one in `paths` is for another host. A check uses it, so that nginx's files stay. Its parent exists. */
  readonly elsewhere?: OwnCertificatePaths;
  readonly nowMs: number;
}

/** `authority`: clients need the new file. `formerDir`: holds the files for another host. */
export type Ensured = { readonly made: null | 'certificate'; readonly formerDir: null } | { readonly made: 'authority'; readonly formerDir: string | null };

/** Throws `own-certificate-unusable` for files that are broken or belong to another user, and does not change them. */
export async function ensureOwnCertificate(own: OwnCertificate): Promise<Ensured> {
  const { paths, nowMs } = own;
  const hosts = certificateHosts(own.publicUrl);
  if (!existsSync(paths.dir)) return makeAll(own, hosts, null);
  const authority = readAuthority(paths, nowMs);
  const server = readServer(paths, authority);
  if (server !== undefined && speaksFor(server, hosts) && !isDue(server, nowMs)) return { made: null, formerDir: null };
  const { isAuthorityFor } = await import('./make.ts'); // X.509 is loaded only when something is to be made
  if (isAuthorityFor(authority.pem, hosts)) return makeServer(own, authority, hosts);
  if (!authority.isOurs) throw unusable(paths.caFile, 'was not made by this gateway');
  if (own.elsewhere !== undefined) return makeAll({ ...own, paths: own.elsewhere }, hosts, null);
  return makeAll(own, hosts, setAside(paths, nowMs));
}

async function makeAll(own: OwnCertificate, hosts: readonly Host[], formerDir: string | null): Promise<Ensured> {
  const { paths, nowMs } = own;
  const { makeAuthority, makeServerCertificate } = await import('./make.ts');
  const authority = await makeAuthority(hosts, nowMs);
  const server = await makeServerCertificate(authority, hosts, nowMs);
  const beside = besideOf(paths.dir);
  mkdirSync(beside, { mode: 0o700 });
  try {
    writePrivately(join(beside, paths.names.ca), authority.certificate);
    writePrivately(join(beside, paths.names.caKey), authority.key);
    writePrivately(join(beside, paths.names.server), server.certificate + server.key);
    renameSync(beside, paths.dir);
  } catch (cause) {
    rmSync(beside, { recursive: true, force: true });
    // A command and the gateway may create one at the same time: the first counts.
    if (existsSync(paths.dir)) return ensureOwnCertificate(own);
    throw cause;
  }
  return { made: 'authority', formerDir };
}

/** One file holds certificate and key, so that both change in one step. */
async function makeServer({ paths, nowMs }: OwnCertificate, authority: Authority, hosts: readonly Host[]): Promise<Ensured> {
  const { makeServerCertificate } = await import('./make.ts');
  const server = await makeServerCertificate({ certificate: authority.pem, key: authority.keyPem }, hosts, nowMs);
  const beside = besideOf(paths.serverFile);
  try {
    writePrivately(beside, server.certificate + server.key);
    renameSync(beside, paths.serverFile);
  } finally {
    rmSync(beside, { force: true });
  }
  return { made: 'certificate', formerDir: null };
}

function setAside({ dir }: OwnCertificatePaths, nowMs: number): string {
  const former = `${dir}-former-${new Date(nowMs).toISOString().replaceAll(/[:.]/g, '-')}`;
  renameSync(dir, former);
  return former;
}

function besideOf(path: string): string {
  return `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
}

function writePrivately(file: string, text: string): void {
  const descriptor = openSync(file, 'wx', 0o600);
  try {
    writeSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
