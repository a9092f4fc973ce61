// `explain --request 'CONNECT api.example.com:443'`, or 'GET http://api.example.com/x': the decision of the forward proxy.
import { CONNECT_ACTION, type Destination, PLAIN_PORT, readAbsolute, readAuthority, readHost, TLS_PORT } from '../../contract/destination.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { createHostConnects } from '../decide/host-connects.ts';
import { conclude, type ExplainerParts, entitiesOf, explainDecision, inputsOf, tokenOf } from './explainer.ts';
import type { ExplainedRequest, Explanation } from './explanation.ts';
import type { ResolvedPrincipal } from './principal.ts';

export interface LocatedConnect {
  readonly request: ExplainedRequest;
  readonly destination: Destination;
}

/** Undefined: it is no request to the forward proxy. */
export function locateConnect({ publicUrl, forwardHosts }: ExplainerParts, line: string): LocatedConnect | undefined {
  const [, method = '', target = ''] = /^([A-Z]+) +(\S+)$/.exec(line.trim()) ?? [];
  if (method === 'CONNECT') return { request: requestOf(method, target), destination: readAuthority(target) };
  if (forwardHosts === null || !/^http:\/\//i.test(target) || `${target}/`.startsWith(`${publicUrl.origin}/`)) return undefined;
  const { path: _path, ...destination } = readAbsolute(target);
  return { request: requestOf(method, target.replace(/[?#].*$/, '')), destination };
}

/** The connection of a record; undefined: the record is about another request. */
export function connectOf({ action, method, resource_id: host }: LedgerRecord): LocatedConnect | undefined {
  if (action !== CONNECT_ACTION || host === null) return undefined;
  const port = method === 'CONNECT' ? TLS_PORT : PLAIN_PORT;
  return { request: requestOf(method ?? 'CONNECT', `${host}:${port}`), destination: { ...readHost(host), port } };
}

function requestOf(method: string, path: string): ExplainedRequest {
  return { method, path, query: '', operation: CONNECT_ACTION, route: null, path_taken: 'egress' };
}

const LOOKED_UP =
  'The name is looked up when it is connected with: where it leads to a private address, or nowhere, it is refused then (host-private, host-unreachable).';
const NO_PROXY = 'lictor.yaml has no forward_proxy: nothing listens.';

/** A person connects with a token, never with a session. */
export async function explainConnect(parts: ExplainerParts, resolved: ResolvedPrincipal, { request, destination }: LocatedConnect): Promise<Explanation> {
  const connects = createHostConnects({
    ...parts,
    authenticator: tokenOf(resolved),
    entities: entitiesOf(parts),
    allow: parts.forwardHosts,
    changeNumber: async () => 0,
  });
  try {
    const answer = await connects.authorize(inputsOf(request), destination);
    const [run = null] = answer.entities ?? [];
    const { host, port } = destination;
    const asks = answer.decisions.map((decision) => explainDecision(parts, decision, { facts: { host, port }, entity: run }));
    const notes = answer.ok ? [LOOKED_UP] : parts.forwardHosts === null ? [NO_PROXY] : [];
    return conclude(parts, resolved, { decision: answer.ok ? 'allow' : 'deny', reason: answer.ok ? 'policy-permits' : answer.reason, request, asks, notes });
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const notes = ['Prefect cannot be asked about the run that goes out, so it would be answered with 503 now.'];
    return conclude(parts, resolved, { decision: 'deny', reason: error.reason, request, notes });
  }
}
