// Values of the Helm chart for chart.test.ts: those of docs/how-to/kubernetes.md, others that fit, and values that Helm must reject.
import { parse } from 'yaml';
import { docsBlock } from '../env/docs.ts';

const PAGE = 'how-to/kubernetes.md';
const of = (beginning: string): Record<string, unknown> => parse(docsBlock(PAGE, beginning));
const GUIDE = of('    image:');
/** As Helm joins a second file of values. */
const withMore = (more: Record<string, unknown>) => ({
  ...GUIDE,
  ...Object.fromEntries(Object.entries(more).map(([key, value]) => [key, isMap(value) ? { ...Object(GUIDE[key]), ...value } : value])),
});
const isMap = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
export const https = { image: { repository: 'example/lictor' }, config: { public_url: 'https://prefect.example.com', trusted_proxies: ['10.0.0.0/8'] } };

export const RELEASES = {
  guide: { values: GUIDE },
  closed: { values: withMore(of('    networkPolicy:')) },
  route: { values: withMore(of('ingress: { enabled: false }\nhttpRoute')) },
  ownTls: { values: withMore(of('tls: { secret')) },
  policies: { values: withMore(of('config:\n  policies')) },
  metrics: { values: withMore(of('metrics:\n  enabled')) },
  nodes: { values: withMore(of('replicas: 2')) },
  elsewhere: { name: 'gate', namespace: 'gateways', values: { ...https, prefect: { namespace: 'prefect' } } },
  below: { values: { ...https, config: { ...https.config, public_url: 'https://example.com:8443/prefect' }, ingress: { enabled: true } } },
  largest: {
    values: {
      ...https,
      image: { repository: 'example/lictor', digest: `sha256:${'0'.repeat(64)}`, pullSecrets: ['pull'] },
      persistence: { size: '10Gi', storageClass: 'fast' },
      serviceAccountName: 'lictor',
      podLabels: { team: 'platform' },
      podAnnotations: { note: 'x' },
      nodeSelector: { disk: 'ssd' },
      tolerations: [{ key: 'gateway', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      httpRoute: { enabled: true, annotations: { note: 'x' }, parentRefs: [{ name: 'public' }] },
      service: { type: 'NodePort', annotations: { note: 'x' } },
    },
  },
} as const;

/** Values that are wrong, and what Helm must say. */
export const REJECTED: readonly (readonly [unknown, string])[] = [
  [{}, 'config.public_url is empty'],
  [{ ...https, replicas: 2, sealSecret: 'seal' }, 'config.store is no Postgres database'],
  [{ ...https, replicas: 2, config: { ...https.config, store: 'postgres://lictor@db/lictor' } }, 'sealSecret is empty'],
  [{ ...https, replicas: 0 }, "at '/replicas'"],
  [{ ...https, image: {} }, 'image.repository is empty'],
  [{ ...https, config: { public_url: 'https://prefect.example.com' } }, 'config.trusted_proxies is empty'],
  [{ ...https, metrics: { enabled: true } }, 'metrics.from is empty'],
  [{ ...https, httpRoute: { enabled: true } }, 'httpRoute.parentRefs is empty'],
  [{ ...https, ingress: { enabled: true }, httpRoute: { enabled: true, parentRefs: [{ name: 'public' }] } }, 'both true: choose one'],
  [{ ...https, networkPolicy: { onlydoor: false } }, "at '/networkPolicy': additional properties 'onlydoor' not allowed"],
  [{ ...https, networkPolicy: { onlyDoor: 'no' } }, "at '/networkPolicy/onlyDoor': got string, want boolean"],
  [{ ...https, config: { ...https.config, identity_provider: [] } }, "at '/config': additional properties 'identity_provider' not allowed"],
  [{ ...https, config: { ...https.config, listen: '0.0.0.0:1' } }, "at '/config': additional properties 'listen' not allowed"],
  [{ ...https, config: { public_url: 'prefect.example.com' } }, "at '/config/public_url'"],
  [{ ...https, files: { '../lictor.yaml': '' } }, "at '/files': additional properties '../lictor.yaml' not allowed"],
  [{ ...https, files: { 'lictor.yaml': '' } }, "at '/files/lictor.yaml'"],
  [{ ...https, prefect: { podLabels: 'all' } }, "at '/prefect/podLabels': got string, want object"],
];
