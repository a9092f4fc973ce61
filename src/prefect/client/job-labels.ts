// The labels by which a worker knows the jobs of its runs again: authors may give a job others, and none of these.
//
// What stands in `labels` displaces what the worker gives itself (workers/base.py of 3.9.1), and whoever watches a cluster takes the run, its flow
// and its pool from the labels of a job: a job that ends in the name of another run ends that one, with the worker's credential.
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { pathOf, sourcesOf } from './job-env.ts';

/** A sentence for the client about job variables; undefined: nothing is wrong with their labels. */
export function labelProblem(jobVariables: JsonValue | undefined, where: string): string | undefined {
  if (!isObject(jobVariables)) return undefined;
  const labels = field(jobVariables, 'labels') ?? null;
  if (labels !== null && !isObject(labels)) return hiddenProblem(where);
  return pathsProblem([...(labels === null ? [] : pathsIn(labels)), ...dottedPaths(jobVariables)], where);
}

/** Of a pool's template: all that are called labels in it, and the default of the variable. Those of the job come from no variable of another name, which nobody would look at. */
export function labelProblemOf(template: JsonValue | undefined, where: string): string | undefined {
  const [job, defaults] = sourcesOf(template);
  const given = field(defaults, 'labels');
  const found = labelsIn(job);
  if (found.some((each) => isTemplate(each) && !THE_LABELS.test(String(each)))) return `labels in ${where} must be an object, or "{{ labels }}".`;
  if (holdersIn(job).some((each) => isTemplate(each) || (isObject(each) && field(each, '$ref') !== undefined))) {
    return `job_manifest and metadata in ${where} must be objects: a template or a block in their place would hide labels.`;
  }
  if (found.some((each) => typeof each === 'string' && STORED.test(each))) return hiddenProblem(where);
  return (given === undefined ? undefined : labelProblem({ labels: given }, where)) ?? pathsProblem(found.flatMap(pathsIn), where);
}

const THE_LABELS = /^\s*\{\{\s*labels\s*\}\}\s*$/;

/** Of Kubernetes. */
const HOLDERS: ReadonlySet<string> = new Set(['job_manifest', 'metadata']);

/** A block or a variable in a template, whose value would be the labels. */
const STORED = /prefect\.(?:blocks|variables)\./;

function hiddenProblem(where: string): string {
  return `labels in ${where} must be an object of names and values: a template or a block in its place would hide them.`;
}

function pathsProblem(paths: readonly string[], where: string): string | undefined {
  // The worker puts the data of a block in the place of an object that names one.
  if (paths.some((path) => path.split('.').includes('$ref'))) return hiddenProblem(where);
  return paths.some(isReserved) ? `labels of prefect.io in ${where}: set by the worker alone.` : undefined;
}

/** As Kubernetes takes them, `prefect.io/NAME`, and as Docker does, `io.prefect.NAME`. */
function isReserved(label: string): boolean {
  const at = label.indexOf('/');
  const prefix = at < 0 ? '' : label.slice(0, at);
  const forDocker = at < 0 ? label : `${prefix.split('.').reverse().join('.')}.${label.slice(at + 1)}`;
  return isPrefectPrefix(prefix) || /^io\.prefect\./i.test(forDocker);
}

/** The worker makes a prefix of whatever stands before the stroke (`_slugify_label_key`): what else than ASCII, or an entity of HTML, becomes is not told here. */
function isPrefectPrefix(prefix: string): boolean {
  if (/[^\x20-\x7e]|&/.test(prefix)) return true;
  const made = prefix.replaceAll(/[^a-z0-9.-]+/gi, '-').replace(/^[-.]+/, '');
  return /^prefect\.io(?:[-.]|$)/i.test(made);
}

/** What stands below a key that is called labels, however deep that is. */
function labelsIn(tree: JsonValue | undefined): readonly JsonValue[] {
  if (isList(tree)) return tree.flatMap(labelsIn);
  if (!isObject(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]) => (key.toLowerCase() === 'labels' ? [value] : labelsIn(value)));
}

function isTemplate(value: JsonValue): boolean {
  return typeof value === 'string' && value.includes('{{');
}

/** What holds labels: those stand where a template or a block would put them. */
function holdersIn(tree: JsonValue | undefined): readonly JsonValue[] {
  if (isList(tree)) return tree.flatMap(holdersIn);
  if (!isObject(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]) => [...(HOLDERS.has(key) ? [value] : []), ...holdersIn(value)]);
}

/** The names, and where something is nested in one, the names in that, as a dotted path. */
function pathsIn(labels: JsonValue): readonly string[] {
  if (!isObject(labels)) return [];
  return Object.entries(labels).flatMap(([key, value]) => [key, ...pathsIn(value).map((path) => `${key}.${path}`)]);
}

/** `labels.NAME`, which means the same. */
function dottedPaths(jobVariables: JsonObject): readonly string[] {
  return Object.entries(jobVariables).flatMap(([key, value]) => {
    const [top = '', ...rest] = pathOf(key);
    const path = rest.join('.');
    return rest.length > 0 && top.toLowerCase() === 'labels' ? [path, ...pathsIn(value).map((deeper) => `${path}.${deeper}`)] : [];
  });
}
