// Templates that make a worker put its own environment, with its credential for the gateway, into a job.
//
// Workers fill in `{{ $NAME }}` from their `os.environ` (`apply_values` of 3.9.1): in a pool's whole `job_configuration`, in a job's `env` if the
// pool has a default for it, and in the job's name, which they fill in again after blocks and variables (workers/base.py). Pull steps do the
// same in the run, with the run's own environment. Not checked here: a template that workers join from several values.
import { field, isList, isObject, type JsonValue } from '../../contract/json/tree.ts';
import { pathOf, sourcesOf } from './job-env.ts';

/** Python reads some control characters as blanks. */
const OWN_ENV = /\{\{[\s\p{Cc}]*\$/u;

/** A name may contain fields of the run, as the worker knows it. */
const OF_RUN = /\{\{[\s\p{Cc}]*ctx\.[\p{L}\p{M}\p{N}_.[\]-]*[\s\p{Cc}]*\}\}/gu;
/** Replaces a permitted template: the texts on both sides cannot form a template together. */
const PERMITTED = '|';

/** A name may also contain the name of the run or deployment once: two of them could form another template together. */
const THE_NAME = /\{\{[\s\p{Cc}]*name[\s\p{Cc}]*\}\}/u;

/** A sentence for the client about job variables, or about the defaults of a pool; undefined: they are valid. */
export function workerEnvProblem(jobVariables: JsonValue | undefined, where: string): string | undefined {
  if (holdsText(jobVariables, OWN_ENV)) return `{{ $... }} in ${where}: a worker would put in what its own environment holds.`;
  if (!isObject(jobVariables)) return undefined;
  // A variable `ctx` would replace the run in the name, before the worker fills in the name again.
  if (Object.keys(jobVariables).some((key) => pathOf(key)[0] === 'ctx')) return `ctx in ${where}: a worker has it of the run.`;
  // A dotted key turns the name into an object, which becomes text if the template contains more than the name.
  return Object.entries(jobVariables).some(([key, value]) => pathOf(key)[0] === 'name' && isComposed(value)) ? nameProblem(where) : undefined;
}

/** The same for a pool's template. The job's name may contain the name of the run or deployment, but no text that could form a template with it. */
export function workerEnvProblemOf(template: JsonValue | undefined, where: string): string | undefined {
  const [job, defaults] = sourcesOf(template);
  const name = field(job, 'name');
  if (holdsText(template, OWN_ENV)) return workerEnvProblem(template, where);
  return isComposed(typeof name === 'string' ? name.replace(THE_NAME, PERMITTED) : undefined) ? nameProblem(where) : workerEnvProblem(defaults, where);
}

/** True for any brace: another value could complete half a template. */
function isComposed(name: JsonValue | undefined): boolean {
  return holdsText(typeof name === 'string' ? name.replaceAll(OF_RUN, PERMITTED) : name, /[{}]/);
}

function nameProblem(where: string): string {
  return `name in ${where} is made of a block, a variable or another template: a worker would fill it in once more, from its own environment.`;
}

/** Tests keys as well, since workers also fill in some of them. */
function holdsText(tree: JsonValue | undefined, form: RegExp): boolean {
  if (typeof tree === 'string') return form.test(tree);
  if (isList(tree)) return tree.some((item) => holdsText(item, form));
  return isObject(tree) && Object.entries(tree).some(([key, value]) => form.test(key) || holdsText(value, form));
}
