// Makes nginx load certificate files that have changed.
import { ensureOwnCertificate } from '../config/certificates/own.ts';
import { certificateFingerprint, checkCertificates } from '../config/certificates.ts';
import type { Config } from '../config/config.ts';
import { checkEdge } from '../edge/nginx/check.ts';
import { failure, recordReload, reportRejected, syncOrLog } from './reload-report.ts';
import { type ReloaderParts, type ReloadState, reloadEdge, retire } from './reload-steps.ts';
import { buildRuntime } from './runtime.ts';

/** Each minute. Broken files are reported once, and tried again when they change. */
export async function renewCertificates(parts: ReloaderParts, state: ReloadState): Promise<void> {
  const { shared, current, env } = parts;
  const { config, revision } = current.get();
  const own = await renewOwn(parts, state, config);
  if (!own) return;
  const fingerprint = certificateFingerprint(config);
  if (fingerprint === state.certificates || fingerprint === state.refusedCertificates) return;
  const pair = checkCertificates(config);
  const problems = pair.length > 0 ? pair : await checkEdge(config, shared.paths, env, shared.clock);
  if (problems.length > 0) {
    // Certificate and key are seldom replaced in one step: the next check may find a matching pair.
    state.refusedCertificates = fingerprint;
    return reportRejected(parts, problems, 'system');
  }
  try {
    if (config.tls?.client != null) await reloadClientTrust(parts, config);
  } catch (error) {
    state.refusedCertificates = fingerprint;
    return reportRejected(parts, [failure(parts, error)], 'system');
  }
  state.certificates = fingerprint;
  reloadEdge(parts, config);
  shared.log.info('certificate renewed: nginx reads it');
  parts.send({ type: 'notice', text: 'lictor: the certificate was renewed; open connections stay.' });
  await recordReload(parts, {
    principal: 'system',
    principal_kind: null,
    reason: 'certificate-renewed',
    decision: 'allow',
    revision,
    resource_id: 'certificate',
  });
}

/** For client authorities and revocation lists: a revocation also ends connections and sockets that are open. */
async function reloadClientTrust(parts: ReloaderParts, config: Config): Promise<void> {
  const runtime = await buildRuntime(parts.shared, config, parts.current.get().policies);
  const former = parts.current.swap(runtime);
  await syncOrLog(parts.shared);
  retire(parts, former);
}

/** False: the gateway's own files cannot be used, which is reported once. nginx keeps the files that it has loaded. */
async function renewOwn(parts: ReloaderParts, state: ReloadState, { publicUrl, tls }: Config): Promise<boolean> {
  if (tls?.selfMadeBy == null) return true;
  try {
    await ensureOwnCertificate({ publicUrl, paths: parts.shared.paths.ownCertificate, nowMs: parts.shared.clock() });
    state.refusedOwn = null;
    return true;
  } catch (error) {
    const problem = failure(parts, error);
    if (state.refusedOwn !== problem.message) await reportRejected(parts, [problem], 'system');
    state.refusedOwn = problem.message;
    return false;
  }
}
