// The certificate of public_url as Prefect's clients judge it.
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import type { PublicUrl } from '../../../../config/config.ts';
import { ok, type Verdict } from '../../finding.ts';
import type { RunProgram } from '../../inside/nginx-version.ts';
import { fetchServed } from '../../outside/certificates.ts';
import { fault, hint } from '../codes.ts';
import { chainProblems } from './chain-problems.ts';
import { askPython, type PythonView } from './python.ts';

export interface PythonSubject {
  readonly publicUrl: Pick<PublicUrl, 'hostname' | 'port'>;
  readonly run: RunProgram;
  /** The authorities that the environment names for clients, or the gateway's own one. Null: none. */
  readonly bundle: string | null;
  /** tls.cert; null: a proxy in between has the certificate. */
  readonly certFile: string | null;
  readonly nowMs: number;
}

export async function checkAsPython(subject: PythonSubject): Promise<readonly Verdict[]> {
  const { publicUrl, run, bundle, nowMs } = subject;
  const [python, isPublic] = await Promise.all([askPython(run, publicUrl, bundle ?? ''), isTrustedByAll(publicUrl)]);
  const chain = (python?.chain ?? []).length > 0 ? pythonChain(python) : fileChain(subject);
  const problems = [...chainProblems(chain, nowMs), ...(python === null ? [] : pythonProblems(python, { bundle, isPublic }))];
  const found = problems.filter(({ code }, index) => problems.findIndex((other) => other.code === code) === index);
  if (found.length > 0) return found;
  const how = python === null ? 'no Python is here to try it' : `Python ${python.version} accepts it`;
  return [ok(`${chain.length} certificates of the chain have what Prefect's clients check; ${how}`)];
}

interface Trusted {
  readonly bundle: string | null;
  readonly isPublic: boolean;
}

function pythonProblems({ version, problem, strictProblem }: PythonView, { bundle, isPublic }: Trusted): readonly Verdict[] {
  if (problem === null) return strictProblem === null ? [] : [fault('certificate-not-strict', `Python 3.13 would reject the certificate: ${strictProblem}`)];
  if (bundle === null && !isPublic && /issuer|self.signed/.test(problem))
    return [hint('authority-private', `an authority that no public list has signed the certificate (Python ${version}: ${problem})`)];
  return [fault('python-rejects', `Python ${version} rejects the certificate: ${problem}`)];
}

async function isTrustedByAll({ hostname, port }: PythonSubject['publicUrl']): Promise<boolean> {
  const served = await fetchServed({ hostname, port, authorities: rootCertificates }).catch(() => undefined);
  return served?.chainProblem === null;
}

function pythonChain(python: PythonView | null): readonly X509Certificate[] {
  return (python?.chain ?? []).map((pem) => new X509Certificate(pem));
}

function fileChain({ certFile }: PythonSubject): readonly X509Certificate[] {
  if (certFile === null || !existsSync(certFile)) return [];
  const blocks = readFileSync(certFile, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  return (blocks ?? []).map((pem) => new X509Certificate(pem));
}
