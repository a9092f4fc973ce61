// `node packaging/chart-schema.ts > packaging/chart/values.schema.json`: Helm rejects values that do not fit, also those of lictor.yaml.
import { jsonSchema } from '../src/config/schema/index.ts';

type Schema = Readonly<Record<string, unknown>>;

const TEXT = { type: 'string' };
const TEXTS = { type: 'object', additionalProperties: TEXT };
/** No value meets it. */
const NEVER = { not: {} };
const YES_OR_NO = { type: 'boolean' };
const NAME = { type: 'string', pattern: '^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$' };
const NAMES = { type: 'array', items: { ...NAME, minLength: 1 } };
/** Passed to Kubernetes, which checks it. */
const ITS_OBJECT = { type: 'object' };
const ITS_LIST = { type: 'array', items: ITS_OBJECT };

/** The text of values.schema.json. */
export function renderChartSchema(): string {
  return `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', title: 'Values of the chart lictor', ...closed(values()) }, null, 2)}\n`;
}

function values(): Record<string, Schema> {
  return {
    global: ITS_OBJECT,
    image: closed({
      repository: TEXT,
      tag: TEXT,
      digest: { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' },
      pullPolicy: pullPolicy(),
      pullSecrets: NAMES,
    }),
    replicas: { type: 'integer', minimum: 1, maximum: 20 },
    sealSecret: NAME,
    config: configuration(),
    files: { ...closed({ 'lictor.yaml': NEVER }), patternProperties: { '^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$': TEXT } },
    secrets: NAMES,
    prefect: closed({ namespace: NAME, service: NAME, port: port(), podLabels: TEXTS, release: NAME, authSecret: NAME }),
    tls: closed({ secret: NAME }),
    networkPolicy: closed({ onlyDoor: YES_OR_NO, from: ITS_LIST }),
    metrics: closed({ enabled: YES_OR_NO, from: ITS_LIST, podMonitor: closed({ enabled: YES_OR_NO, labels: TEXTS }) }),
    service: closed({ type: oneOf('ClusterIP', 'LoadBalancer', 'NodePort'), annotations: TEXTS, externalTrafficPolicy: oneOf('', 'Cluster', 'Local') }),
    ingress: closed({ enabled: YES_OR_NO, className: TEXT, annotations: TEXTS, tlsSecret: NAME }),
    httpRoute: closed({ enabled: YES_OR_NO, annotations: TEXTS, parentRefs: ITS_LIST }),
    persistence: closed({ size: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(Mi|Gi|Ti|M|G|T)$' }, storageClass: TEXT, existingClaim: NAME }),
    resources: ITS_OBJECT,
    serviceAccountName: NAME,
    podLabels: TEXTS,
    podAnnotations: TEXTS,
    nodeSelector: TEXTS,
    tolerations: ITS_LIST,
    affinity: ITS_OBJECT,
  };
}

/** lictor.yaml without what the chart writes. The chart itself requires public_url, because `helm lint` checks the values without one. */
function configuration(): Schema {
  const { properties } = jsonSchema();
  const { listen, tls_terminated_upstream, public_url, ...others } = Object(properties) as Record<string, Schema>;
  return closed({ public_url: { ...public_url, pattern: `^$|${String(public_url?.['pattern'])}` }, ...others });
}

function closed(properties: Record<string, Schema>): Schema {
  return { type: 'object', additionalProperties: false, properties };
}

function oneOf(...values: string[]): Schema {
  return { enum: values };
}

function pullPolicy(): Schema {
  return oneOf('Always', 'IfNotPresent', 'Never');
}

function port(): Schema {
  return { type: 'integer', minimum: 1, maximum: 65_535 };
}

if (import.meta.main) process.stdout.write(renderChartSchema());
