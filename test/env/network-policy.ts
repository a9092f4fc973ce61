// NetworkPolicies as Kubernetes reads them: no pod is isolated until a policy selects it; then only what some policy permits reaches it.
// Reads namespaceSelector and podSelector with matchLabels, and ports. Throws for anything else.
import type { KubernetesObject } from './chart.ts';

export interface Pod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

interface Peer {
  readonly namespaceSelector?: Selector;
  readonly podSelector?: Selector;
}

interface Rule {
  readonly from?: readonly Peer[];
  readonly ports?: readonly { readonly port: string | number; readonly protocol: string }[];
}

/** `port`: its number, or its name in the pod. */
export function reaches(from: Pod, to: Pod, port: string | number, objects: readonly KubernetesObject[]): boolean {
  const policies = objects.filter(
    ({ kind, metadata, spec }) => kind === 'NetworkPolicy' && metadata.namespace === to.namespace && selects(spec.podSelector, to),
  );
  if (policies.length === 0) return true;
  const rules: readonly Rule[] = policies.flatMap(({ spec }) => spec.ingress ?? []);
  return rules.some(({ from: peers, ports }) => isOneOf(from, to, peers) && (ports === undefined || ports.some((open) => open.port === port)));
}

/** No peers: everyone. */
function isOneOf(from: Pod, to: Pod, peers: readonly Peer[] = []): boolean {
  return peers.length === 0 || peers.some((peer) => isPeer(from, to, peer));
}

function isPeer(from: Pod, to: Pod, peer: Peer): boolean {
  onlyKeys(peer, ['namespaceSelector', 'podSelector']);
  const inNamespace =
    peer.namespaceSelector === undefined
      ? from.namespace === to.namespace
      : selects(peer.namespaceSelector, { ...from, labels: { 'kubernetes.io/metadata.name': from.namespace } });
  return inNamespace && selects(peer.podSelector ?? {}, from);
}

function selects(selector: Selector, { labels }: Pod): boolean {
  onlyKeys(selector, ['matchLabels']);
  return Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
}

function onlyKeys(object: object, known: readonly string[]): void {
  const other = Object.keys(object).filter((key) => !known.includes(key));
  if (other.length > 0) throw new Error(`a NetworkPolicy has ${other.join(', ')}, which this evaluation does not know`);
}
