// The Helm chart, rendered by Helm's own library with the values of docs/how-to/kubernetes.md. What its pod starts: test/endurance/chart.test.ts.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { renderChartSchema } from '../../packaging/chart-schema.ts';
import { REPOSITORY } from '../../src/cli/repository.ts';
import { CHART, installErrors, type KubernetesObject, objectOf, type Rendered, renderChart } from '../env/chart.ts';
import { freePort } from '../env/free-port.ts';
import { jsonLines, runLictor } from '../env/gateway.ts';
import { type Pod, reaches } from '../env/network-policy.ts';
import { buildPackage, must, sha256 } from '../env/packages.ts';
import { start } from '../env/process.ts';
import { https, REJECTED, RELEASES } from './chart-values.ts';

const directory = mkdtempSync(join(tmpdir(), 'lictor-test-chart-'));
let rendered: Readonly<Record<keyof typeof RELEASES, Rendered>>;
let rejected: readonly Rendered[];
beforeAll(async () => {
  const releases = [...Object.values(RELEASES), ...REJECTED.map(([values]) => ({ values }))];
  const answers = await renderChart(releases);
  const names = Object.keys(RELEASES) as (keyof typeof RELEASES)[];
  rendered = Object.fromEntries(names.map((name, index) => [name, answers[index]])) as typeof rendered;
  rejected = answers.slice(names.length);
});
afterAll(() => rmSync(directory, { recursive: true }));

const deployment = (release: keyof typeof RELEASES, name = 'lictor') => objectOf(rendered[release], 'Deployment', name).spec.template;
const lictorYaml = (release: keyof typeof RELEASES, name = 'lictor') => parse(objectOf(rendered[release], 'ConfigMap', name).data?.['lictor.yaml'] ?? '');

describe('the chart', () => {
  it('has nothing that helm lint or the schemas of Kubernetes reject', () => {
    for (const { error, findings, problems, objects } of Object.values(rendered)) {
      expect([error, findings, problems.filter((problem) => !/no schema of (?:HTTPRoute|PodMonitor)$/.test(problem))]).toEqual([undefined, [], []]);
      expect(objects.length).toBeGreaterThanOrEqual(5);
    }
  });

  it('rejects values that do not fit, and says what is wrong', () => {
    expect(rejected.map(({ error }, index) => (error ?? 'accepted').includes(REJECTED[index]?.[1] ?? ''))).toEqual(REJECTED.map(() => true));
  });

  it('has the version of the release, and a schema with the keys of lictor.yaml', () => {
    const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
    expect(parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'))).toMatchObject({ version, appVersion: version });
    expect(readFileSync(join(CHART, 'values.schema.json'), 'utf8')).toBe(renderChartSchema());
  });

  it('is a package with the same bytes again, which Helm reads', async () => {
    const [file, again] = [await buildPackage('chart', REPOSITORY, directory), await buildPackage('chart', REPOSITORY, join(directory, 'again'))];
    expect(sha256(again)).toBe(sha256(file));
    expect((await must('tar', ['-tzf', file])).split('\n')).toEqual(expect.arrayContaining(['lictor/Chart.yaml', 'lictor/LICENSE']));
    const [one] = await renderChart([RELEASES.guide], file);
    expect(one).toMatchObject({ objects: rendered.guide.objects });
  });
});

describe('the pod', () => {
  it('runs as an ordinary user with a read-only root, without capabilities and without a token of the cluster', () => {
    const { spec } = deployment('guide');
    expect(spec).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65_532, seccompProfile: { type: 'RuntimeDefault' } });
    expect(spec.containers[0].securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } });
  });

  it('is the only one, and is replaced when lictor.yaml changes', () => {
    expect(objectOf(rendered.guide, 'Deployment').spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
    const sum = (release: keyof typeof RELEASES) => deployment(release).metadata.annotations['checksum/config'];
    expect(sum('closed')).toBe(sum('guide'));
    expect(sum('policies')).not.toBe(sum('guide'));
  });

  it('is one of several nodes with a Postgres store: each has a claim and the shared key, and they are replaced one by one', () => {
    const set = objectOf(rendered.nodes, 'StatefulSet');
    expect(set.spec).toMatchObject({ replicas: 2, updateStrategy: { type: 'RollingUpdate' }, volumeClaimTemplates: [{ metadata: { name: 'state' } }] });
    const { initContainers, containers, topologySpreadConstraints } = set.spec.template.spec;
    expect(initContainers[0].securityContext).toEqual(containers[0].securityContext);
    expect(topologySpreadConstraints[0].labelSelector.matchLabels).toEqual(set.spec.selector.matchLabels);
    expect(objectOf(rendered.nodes, 'PodDisruptionBudget').spec).toMatchObject({ maxUnavailable: 1, selector: set.spec.selector });
    expect(rendered.nodes.objects.some(({ kind }) => kind === 'PersistentVolumeClaim' || kind === 'Deployment')).toBe(false);
    expect(rendered.guide.objects.some(({ kind }) => kind === 'PodDisruptionBudget' || kind === 'StatefulSet')).toBe(false);
    expect(lictorYaml('nodes')).toMatchObject({ store: { url: expect.stringMatching(/^postgres:/) } });
  });

  it('copies the shared key for its user alone, and leaves a key that is there', async () => {
    const [command, ...args] = objectOf(rendered.nodes, 'StatefulSet').spec.template.spec.initContainers[0].command as string[];
    const place = mkdtempSync(join(directory, 'seal-'));
    const [given, copied] = [join(place, 'seal.key'), join(place, 'state/keys/seal.key')];
    const runs = () =>
      must(
        command ?? '',
        args.map((word) => word.replace('/run/secrets/lictor-seal/seal.key', given).replace('/var/lib/lictor/keys/seal.key', copied)),
      );
    writeFileSync(given, 'first');
    await runs();
    expect([readFileSync(copied, 'utf8'), statSync(copied).mode & 0o777]).toEqual(['first', 0o600]);
    writeFileSync(given, 'second');
    await runs();
    expect(readFileSync(copied, 'utf8')).toBe('first');
  });

  it('gets secrets as files, and none in its environment', () => {
    const { containers, volumes } = deployment('guide').spec;
    expect([containers[0].env, containers[0].envFrom]).toEqual([undefined, undefined]);
    const secrets = volumes.filter(({ secret }: { secret?: unknown }) => secret !== undefined);
    expect(secrets.map(({ secret }: { secret: unknown }) => secret)).toEqual([
      { secretName: 'lictor-oidc', defaultMode: 0o440 },
      { secretName: 'prefect-auth', defaultMode: 0o440 },
    ]);
    expect(lictorYaml('guide')).toMatchObject({ prefect: { auth_string_file: '/run/secrets/lictor/prefect-auth/auth-string' } });
  });

  it('is probed at the host and path of public_url, with TLS where Lictor ends it', () => {
    const probe = (release: keyof typeof RELEASES) => deployment(release).spec.containers[0].readinessProbe.httpGet;
    expect(probe('below')).toMatchObject({ path: '/prefect/.lictor/health', scheme: 'HTTP', httpHeaders: [{ name: 'Host', value: 'example.com:8443' }] });
    expect(probe('ownTls')).toMatchObject({ path: '/.lictor/health', scheme: 'HTTPS' });
  });

  it('has a lictor.yaml without a problem, in each form of the guide', async () => {
    const problems = async (release: keyof typeof RELEASES) => {
      const place = join(directory, release);
      layOut(place, objectOf(rendered[release], 'ConfigMap'), deployment(release).spec.volumes);
      const { output } = await runLictor(['check', '--json'], { configFile: join(place, 'lictor.yaml'), stateDir: join(place, 'state') });
      return jsonLines(output).map(({ path, file, message }) => `${file ?? ''}${path} ${message}`);
    };
    expect(await problems('guide')).toEqual([]);
    expect(await problems('policies')).toEqual([]);
    expect(await problems('metrics')).toEqual([]);
    // The certificate is the administrator's.
    expect(await problems('ownTls')).toEqual([expect.stringMatching(/^tls\.cert .*tls\.crt/), expect.stringMatching(/^tls\.key .*tls\.key/)]);
  });
});

describe('the metrics', () => {
  it('are passed on by nginx of the same image, and nothing else is', async () => {
    const { containers, volumes } = deployment('metrics').spec;
    expect(containers[1]).toMatchObject({ image: containers[0].image, ports: [{ name: 'metrics', containerPort: 9465 }] });
    expect(containers[1].securityContext).toEqual(containers[0].securityContext);
    expect(volumes).toContainEqual({ name: 'metrics', configMap: { name: 'lictor-metrics' } });
    expect(lictorYaml('metrics')).toMatchObject({ metrics: { listen: '127.0.0.1:9464' } });

    const [from, to] = [await freePort(), await freePort()];
    const gateway = createServer((request, response) => response.end(`asked ${request.url}`)).listen(from, '127.0.0.1');
    const conf = objectOf(rendered.metrics, 'ConfigMap', 'lictor-metrics').data?.['nginx.conf'] ?? '';
    const file = join(directory, 'metrics.conf');
    writeFileSync(file, conf.replaceAll('/tmp/', `${directory}/`).replace('listen 9465', `listen 127.0.0.1:${to}`).replace('9464', String(from)));
    const [command, ...args] = containers[1].command.map((word: string) => word.replace('/etc/metrics/nginx.conf', file));
    const ask = async (path: string, method = 'GET') => {
      const answer = await fetch(`http://127.0.0.1:${to}${path}`, { method });
      return [answer.status, await answer.text()];
    };
    const env = { PATH: '/usr/sbin:/usr/bin' };
    const nginx = await start({
      name: 'metrics',
      command,
      args,
      env,
      ready: () =>
        ask('/metrics').then(
          () => true,
          () => false,
        ),
    });
    onTestFinished(async () => {
      gateway.close();
      await nginx.stop();
    });
    expect(await ask('/metrics')).toEqual([200, 'asked /metrics']);
    expect(await ask('/metrics', 'POST')).toEqual([403, expect.any(String)]);
    expect(await ask('/api/health')).toEqual([404, expect.any(String)]);
  });

  it('have a PodMonitor with the job of the alert rules, and none without its switch', () => {
    const { spec, metadata } = objectOf(rendered.metrics, 'PodMonitor');
    expect(metadata.labels).toMatchObject({ release: 'prometheus' });
    expect(deployment('metrics').metadata.labels[spec.jobLabel]).toBe('lictor');
    expect(spec.podMetricsEndpoints).toEqual([{ port: 'metrics' }]);
    expect(rendered.guide.objects.some(({ kind, metadata: { name } }) => kind === 'PodMonitor' || name === 'lictor-metrics')).toBe(false);
    expect(deployment('guide').spec.containers).toHaveLength(1);
  });
});

/** The files of the pod, with secrets below the same directory. */
function layOut(place: string, configMap: KubernetesObject, volumes: { configMap?: { items: { key: string; path: string }[] } }[]): void {
  for (const { key, path } of volumes.flatMap(({ configMap: mounted }) => mounted?.items ?? [])) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(
      join(place, path),
      (configMap.data?.[key] ?? '').replaceAll('/run/secrets/lictor', join(place, 'secrets')).replace(/prefect-server\.\S+svc/, '127.0.0.1'),
    );
  }
  for (const file of ['prefect-auth/auth-string', 'lictor-oidc/client-secret']) {
    mkdirSync(dirname(join(place, 'secrets', file)), { recursive: true });
    writeFileSync(join(place, 'secrets', file), 'lictor:8c6a1ea2ce0d4b1f93a7', { mode: 0o440 });
  }
}

describe('the network policies', () => {
  const pod = (name: string, instance: string, more: Record<string, string> = {}, namespace = 'prefect'): Pod => ({
    namespace,
    labels: { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': instance, ...more },
  });
  // The labels of Prefect's charts.
  const server = pod('prefect-server', 'prefect-server', { 'app.kubernetes.io/component': 'server' });
  const services = pod('prefect-server', 'prefect-server', { 'app.kubernetes.io/component': 'background-services' });
  const worker = pod('prefect-worker', 'prefect-worker', { 'app.kubernetes.io/component': 'worker' });
  const flow: Pod = { namespace: 'flows', labels: { 'job-name': 'etl' } };
  const controller = pod('ingress-nginx', 'ingress-nginx', {}, 'ingress-nginx');
  const lictor = pod('lictor', 'lictor');
  const strangers = {
    worker,
    flow,
    controller,
    otherLictor: pod('lictor', 'other'),
    sameLabels: pod('lictor', 'lictor', {}, 'flows'),
    otherPrefect: { ...services, namespace: 'flows' },
  };

  it('let only Lictor and the pods of Prefect reach Prefect', () => {
    const may = (from: Pod) => reaches(from, server, 4200, rendered.closed.objects);
    expect([lictor, services].map(may)).toEqual([true, true]);
    expect(Object.values(strangers).map(may)).toEqual(Object.values(strangers).map(() => false));
    expect(reaches(worker, services, 4200, rendered.closed.objects)).toBe(false);
  });

  it('let every pod reach Prefect before the last step, and reach what is not Prefect always', () => {
    expect(Object.values(strangers).map((from) => reaches(from, server, 4200, rendered.guide.objects))).toEqual(Object.values(strangers).map(() => true));
    expect(reaches(flow, pod('postgresql', 'prefect-server'), 5432, rendered.closed.objects)).toBe(true);
  });

  it('are not installed with labels that the Service of Prefect does not select', async () => {
    const labels = (prefect: Record<string, unknown>) => ({ ...https, prefect });
    const [right, named, release, label, open] = await installErrors(server.labels, [
      https,
      labels({ podLabels: { 'app.kubernetes.io/component': 'server' } }),
      labels({ release: 'other' }),
      labels({ podLabels: { app: 'prefect' } }),
      { ...labels({ release: 'other' }), networkPolicy: { onlyDoor: false } },
    ]);
    expect([right, named, open].map((said) => said?.includes('openapi'))).toEqual([true, true, true]);
    expect(release).toContain('app.kubernetes.io/instance: other is not in the selector of the Service prefect-server');
    expect(label).toContain('prefect.podLabels: the label app: prefect is not in the selector');
  });

  it('work with Lictor in another namespace', () => {
    const may = (from: Pod) => reaches(from, server, 4200, rendered.elsewhere.objects);
    expect([pod('lictor', 'gate', {}, 'gateways'), lictor, worker, pod('lictor', 'gate')].map(may)).toEqual([true, false, false, false]);
  });

  it('let only Prometheus reach the metrics, and not Lictor', () => {
    const prometheus: Pod = { namespace: 'monitoring', labels: { 'app.kubernetes.io/name': 'prometheus' } };
    const may = (from: Pod, port: string) => reaches(from, lictor, port, rendered.metrics.objects);
    expect([may(prometheus, 'metrics'), may(prometheus, 'gateway')]).toEqual([true, false]);
    expect([controller, worker, flow, { ...prometheus, namespace: 'flows' }].map((from) => may(from, 'metrics'))).toEqual([false, false, false, false]);
    expect(may(controller, 'gateway')).toBe(true);
    expect(reaches(prometheus, lictor, 'metrics', rendered.guide.objects)).toBe(false);
  });

  it('let the named pods reach Lictor, at its port alone', () => {
    const may = (from: Pod, port: string) => reaches(from, lictor, port, rendered.guide.objects);
    expect([may(controller, 'gateway'), may(worker, 'gateway'), may(controller, 'other')]).toEqual([true, false, false]);
    expect(reaches(worker, lictor, 'gateway', rendered.ownTls.objects)).toBe(true);
    const [gate, stranger] = [pod('lictor', 'gate', {}, 'gateways'), { namespace: 'x', labels: {} }];
    expect([reaches(stranger, gate, 'gateway', rendered.elsewhere.objects), reaches(stranger, gate, 'other', rendered.elsewhere.objects)]).toEqual([
      true,
      false,
    ]);
  });
});

describe('the way in', () => {
  it('is an Ingress with the host and path of public_url', () => {
    expect(objectOf(rendered.below, 'Ingress').spec.rules).toEqual([
      {
        host: 'example.com',
        http: { paths: [{ path: '/prefect', pathType: 'Prefix', backend: { service: { name: 'lictor', port: { name: 'gateway' } } } }] },
      },
    ]);
    expect(objectOf(rendered.guide, 'Ingress').spec.tls).toEqual([{ secretName: 'prefect-tls', hosts: ['prefect.example.com'] }]);
  });

  it('is an HTTPRoute in its place', () => {
    expect(rendered.route.objects.filter(({ kind }) => kind === 'Ingress')).toEqual([]);
    expect(objectOf(rendered.route, 'HTTPRoute').spec).toEqual({
      parentRefs: [{ name: 'public', namespace: 'gateways', sectionName: 'https' }],
      hostnames: ['prefect.example.com'],
      rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/' } }], backendRefs: [{ name: 'lictor', port: 80 }] }],
    });
  });

  it('is a Service that ends TLS in Lictor, or gets plain http from the proxy', () => {
    expect(objectOf(rendered.ownTls, 'Service').spec).toMatchObject({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 443 }] });
    expect(lictorYaml('ownTls')).toMatchObject({ tls: { cert: '/run/secrets/lictor/prefect-tls/tls.crt' } });
    expect(lictorYaml('ownTls')).not.toHaveProperty('tls_terminated_upstream');
    expect(objectOf(rendered.guide, 'Service').spec).toMatchObject({ type: 'ClusterIP', ports: [{ port: 80, targetPort: 'gateway' }] });
    expect(lictorYaml('guide')).toMatchObject({ tls_terminated_upstream: true, trusted_proxies: ['10.42.0.0/16'] });
  });
});
