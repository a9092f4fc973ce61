// The labels by which a worker recognizes the jobs of its runs. Authors may give a job other labels, but none of these.
//
// `labels` replaces the worker's own labels (workers/base.py of 3.9.1). A worker that watches a cluster reads the run, flow and pool from the
// labels of a job. So a job that ends with the labels of another run would end that run, with the worker's credential.
import { field, isList, isObject, type JsonObject, type JsonValue } from '../../contract/json/tree.ts';
import { pathOf, sourcesOf } from './job-env.ts';

/** A sentence for the client about job variables; undefined: their labels are valid. */
export function labelProblem(jobVariables: JsonValue | undefined, where: string): string | undefined {
  if (!isObject(jobVariables)) return undefined;
  const labels = field(jobVariables, 'labels') ?? null;
  if (labels !== null && !isObject(labels)) return hiddenProblem(where);
  return pathsProblem([...(labels === null ? [] : pathsIn(labels)), ...dottedPaths(jobVariables)], where);
}

/** The same for a pool's template: for all labels in it, and for the default of the variable. The job takes its labels only from the variable `labels`. */
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

/** Kubernetes objects that contain labels. */
const HOLDERS: ReadonlySet<string> = new Set(['job_manifest', 'metadata']);

/** A block or variable whose value would become the labels. */
const STORED = /prefect\.(?:blocks|variables)\./;

function hiddenProblem(where: string): string {
  return `labels in ${where} must be an object of names and values: a template or a block in its place would hide them.`;
}

function pathsProblem(paths: readonly string[], where: string): string | undefined {
  // The worker replaces an object that names a block by the block's data.
  if (paths.some((path) => path.split('.').includes('$ref'))) return hiddenProblem(where);
  return paths.some(isReserved) ? `labels of prefect.io in ${where}: set by the worker alone.` : undefined;
}

/** In Kubernetes `prefect.io/NAME`, in Docker `io.prefect.NAME`. */
function isReserved(label: string): boolean {
  const at = label.indexOf('/');
  const prefix = at < 0 ? '' : label.slice(0, at);
  const forDocker = at < 0 ? label : `${prefix.split('.').reverse().join('.')}.${label.slice(at + 1)}`;
  return isPrefectPrefix(prefix) || /^io\.prefect\./i.test(forDocker);
}

/** The worker turns the text before the slash into a prefix (`_slugify_label_key`). For non-ASCII text or HTML entities the result is unknown. */
function isPrefectPrefix(prefix: string): boolean {
  if (/[^\x20-\x7e]|&/.test(prefix)) return true;
  const slug = prefix.replaceAll(/[^a-z0-9.-]+/gi, '-').replace(/^[-.]+/, '');
  return /^prefect\.io(?:[-.]|$)/i.test(slug);
}

/** The values of all keys called labels, at any depth. */
function labelsIn(tree: JsonValue | undefined): readonly JsonValue[] {
  if (isList(tree)) return tree.flatMap(labelsIn);
  if (!isObject(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]) => (key.toLowerCase() === 'labels' ? [value] : labelsIn(value)));
}

function isTemplate(value: JsonValue): boolean {
  return typeof value === 'string' && value.includes('{{');
}

/** The values of all keys that contain labels, at any depth. A template or block in their place could add labels. */
function holdersIn(tree: JsonValue | undefined): readonly JsonValue[] {
  if (isList(tree)) return tree.flatMap(holdersIn);
  if (!isObject(tree)) return [];
  return Object.entries(tree).flatMap(([key, value]) => [...(HOLDERS.has(key) ? [value] : []), ...holdersIn(value)]);
}

/** The names as dotted paths, with those of nested objects. */
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
