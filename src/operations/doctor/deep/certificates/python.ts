// The TLS handshake of Prefect's clients: Python, with the authorities of certifi or of the environment.
import type { RunProgram } from '../../inside/nginx-version.ts';
import { parseJson } from '../../outside/http-probe.ts';

export interface PythonView {
  /** `3.11.7`. */
  readonly version: string;
  /** The error of a default context. Null: it trusts the server. */
  readonly problem: string | null;
  /** The error of the checks that are on by default since Python 3.13. */
  readonly strictProblem: string | null;
  /** PEM, as served. Empty if this Python cannot show it. */
  readonly chain: readonly string[];
}

/** One handshake without checks for the chain, and one for each kind of check. Prints JSON. */
const SCRIPT = `
import json, socket, ssl, sys
host, port, cafile = sys.argv[1], int(sys.argv[2]), sys.argv[3] or None
if cafile is None:
    try:
        import certifi
        cafile = certifi.where()
    except ImportError:
        pass

def chain(tls):
    raw = getattr(tls, '_sslobj', tls)
    found = raw.get_unverified_chain() or []
    return [c if isinstance(c, str) else c.public_bytes(1) for c in found]

def shake(strict, look=lambda tls: None, trust=True):
    context = ssl.create_default_context(cafile=cafile)
    flag = ssl.VERIFY_X509_STRICT
    context.verify_flags = context.verify_flags | flag if strict else context.verify_flags & ~flag
    if not trust:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    with socket.create_connection((host, port), 8) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
        return look(tls)

def problem(strict):
    try:
        shake(strict)
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    except OSError as error:
        return str(error)

try:
    served = shake(False, chain, trust=False)
except Exception:
    served = []
print(json.dumps({'version': sys.version.split()[0], 'problem': problem(False), 'strict': problem(True), 'chain': served}))
`;

/** Null: there is no Python 3 here. */
export async function askPython(
  run: RunProgram,
  { hostname, port }: { readonly hostname: string; readonly port: number },
  caFile: string,
): Promise<PythonView | null> {
  const output = await run('python3', ['-c', SCRIPT, hostname.replace(/^\[|\]$/g, ''), String(port), caFile]);
  const value = output === null ? undefined : parseJson(output);
  if (typeof value !== 'object' || value === null || !('version' in value)) return null;
  const { version, problem, strict, chain } = value as Readonly<Record<string, unknown>>;
  const certificates = Array.isArray(chain) ? chain.filter((each) => typeof each === 'string') : [];
  return { version: String(version), problem: textOrNull(problem), strictProblem: textOrNull(strict), chain: certificates };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
