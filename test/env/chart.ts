// The Helm chart: rendered and linted by Helm's own library, validated by the schemas of Kubernetes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY, toolCacheDir } from '../../src/cli/repository.ts';
import { ensureVenv } from '../../src/cli/venv.ts';
import { must } from './packages.ts';

export const CHART = join(REPOSITORY, 'packaging/chart');

/** The oldest that the chart accepts, and the newest with schemas. */
const KUBERNETES = ['1.25', '1.37'];
const PACKAGES = ['helm-python-sdk==0.2.2', 'kubernetes-validate==1.37.0'];

export interface Release {
  readonly name?: string;
  readonly namespace?: string;
  readonly values: unknown;
}

/** An object as the cluster would get it. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels: Readonly<Record<string, string>> };
  // biome-ignore lint/suspicious/noExplicitAny: the schemas of Kubernetes have checked it
  readonly spec: any;
  readonly data?: Readonly<Record<string, string>>;
}

export interface Rendered {
  /** What Helm says when it rejects the values. */
  readonly error?: string;
  readonly objects: readonly KubernetesObject[];
  readonly notes: string;
  /** What Kubernetes would reject. */
  readonly problems: readonly string[];
  /** What `helm lint --strict` rejects. */
  readonly findings: readonly string[];
}

/** Renders a chart, a directory or package, once for each release. */
export async function renderChart(releases: readonly Release[], chart = CHART): Promise<readonly Rendered[]> {
  const named = releases.map((release) => ({ name: 'lictor', namespace: 'prefect', ...release }));
  return askHelm('helm.py', { chart, versions: KUBERNETES, releases: named });
}

/** What Helm says when it installs the chart beside a Service of Prefect with this selector, once for each of the values. */
export async function installErrors(selector: Readonly<Record<string, string>>, values: readonly unknown[]): Promise<readonly string[]> {
  return askHelm('helm_cluster.py', { chart: CHART, selector, values });
}

async function askHelm<Answer>(script: string, asked: unknown): Promise<Answer> {
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-helm-'));
  const [question, answer] = [join(directory, 'question.json'), join(directory, 'answer.json')];
  writeFileSync(question, JSON.stringify(asked));
  await must(await helmPython(), [join(import.meta.dirname, script), question, answer]);
  const answered = JSON.parse(readFileSync(answer, 'utf8'));
  rmSync(directory, { recursive: true });
  return answered;
}

async function helmPython(): Promise<string> {
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, PACKAGES.join('-').replaceAll('==', '-'));
  const bin = await ensureVenv({ directory, requirements: PACKAGES, cacheDir, env: process.env, onProgress: (line) => process.stderr.write(`${line}\n`) });
  return join(bin, 'python');
}

/** The one object of this kind and name. */
export function objectOf({ objects, error }: Rendered, kind: string, name = 'lictor'): KubernetesObject {
  const [found, ...more] = objects?.filter((object) => object.kind === kind && object.metadata.name === name) ?? [];
  if (found === undefined || more.length > 0) throw new Error(`not one ${kind} ${name}; ${error ?? ''}`);
  return found;
}
