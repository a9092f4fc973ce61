// The rule that lets only the gateway reach Prefect: for nftables, docker compose, Kubernetes and security groups. Tests compare docs/how-to/network-rules.md with it.
import { isIP } from 'node:net';
import { isLoopback } from '../../config/sections/public-url.ts';

export interface RuleSubject {
  /** Of one server of Prefect. */
  readonly url: string;
  /** The address of the gateway, as that server sees it. */
  readonly gateway: string;
}

export interface Rule {
  readonly title: string;
  readonly text: string;
}

export function networkRules(subjects: readonly RuleSubject[]): readonly Rule[] {
  const ports = [...new Set(subjects.map(({ url }) => portOf(url)))];
  return [...subjects.map(nftRule), ...ports.flatMap((port) => [compose(port), networkPolicy(port), securityGroup(port)])];
}

function portOf(url: string): string {
  const { port, protocol } = new URL(url);
  return port !== '' ? port : protocol === 'https:' ? '443' : '80';
}

function nftRule({ url, gateway }: RuleSubject): Rule {
  const { hostname } = new URL(url);
  const port = portOf(url);
  const isHere = isLoopback(hostname);
  const rules = isHere ? onlyLoopback(port) : onlyFrom(port, gateway);
  return { title: `nftables, on ${isHere ? 'this machine' : hostname}: /etc/nftables.conf, then nft -f /etc/nftables.conf`, text: nftTable(rules) };
}

/** Prefect and the gateway share the machine. Connections to its other addresses are refused, also those that come from the machine itself. */
function onlyLoopback(port: string): readonly string[] {
  return [`tcp dport ${port} ip daddr != 127.0.0.0/8 reject with tcp reset`, `tcp dport ${port} ip6 daddr != ::1 reject with tcp reset`];
}

function onlyFrom(port: string, gateway: string): readonly string[] {
  const isSix = isIP(gateway) === 6;
  const own = isSix ? 'ip6' : 'ip';
  const other = isSix ? 'ipv4' : 'ipv6';
  return [`tcp dport ${port} ${own} saddr != ${gateway} reject with tcp reset`, `tcp dport ${port} meta nfproto ${other} reject with tcp reset`];
}

function nftTable(rules: readonly string[]): string {
  return `table inet prefect {
  chain input {
    type filter hook input priority filter; policy accept;
${rules.map((rule) => `    ${rule}\n`).join('')}  }
}
`;
}

function compose(port: string): Rule {
  return {
    title: 'docker compose: compose.override.yaml, with the names of your services; add the network to the database of Prefect too',
    text: `services:
  prefect:
    expose: ["${port}"]
    ports: !reset []
    networks: !override [behind-lictor]
  lictor:
    networks: !override [default, behind-lictor]
networks:
  behind-lictor: {}
`,
  };
}

function networkPolicy(port: string): Rule {
  return {
    title: 'Kubernetes: kubectl apply -f FILE, with the labels of your pods',
    text: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: prefect-only-from-lictor
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/name: prefect-server
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: lictor
      ports:
        - { protocol: TCP, port: ${port} }
`,
  };
}

/** SG_PREFECT and SG_LICTOR are ids of groups, and SG_WORKERS the former source. */
function securityGroup(port: string): Rule {
  return {
    title: 'security groups (AWS): allow the group of the gateway, then remove the others',
    text: `aws ec2 authorize-security-group-ingress --group-id SG_PREFECT --protocol tcp --port ${port} --source-group SG_LICTOR
aws ec2 revoke-security-group-ingress --group-id SG_PREFECT --protocol tcp --port ${port} --source-group SG_WORKERS
`,
  };
}
