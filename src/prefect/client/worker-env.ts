// What a worker puts into a job of its own environment, where the credential is that it has for the gateway.
//
// Workers fill in `{{ $NAME }}` from their `os.environ` (`apply_values` of 3.9.1): in all of a pool's `job_configuration`, in a job's `env` where the
// pool has a default for that, and in its name, which they fill in once more after blocks and variables have been put into it
// (workers/base.py). Pull steps do it in the run, whose environment is its own. Not seen here: what is put together of several values before that.
import { field, isList, isObject, type JsonValue } from '../../contract/json/tree.ts';
import { pathOf, sourcesOf } from './job-env.ts';

/** Python takes some control characters for blanks too. */
const OWN_ENV = /\{\{[\s\p{Cc}]*\$/u;

/** What a name may be made of: the run, as the worker knows it. */
const OF_RUN = /\{\{[\s\p{Cc}]*ctx\.[\p{L}\p{M}\p{N}_.[\]-]*[\s\p{Cc}]*\}\}/gu;
/** In the place of what is well: what stands on both sides of it never becomes one. */
const WELL = '|';

/** And the name that runs and deployments give, once: two of them may come together to another template. */
const THE_NAME = /\{\{[\s\p{Cc}]*name[\s\p{Cc}]*\}\}/u;

/** A sentence for the client about job variables, or the defaults of a pool's; undefined: nothing is wrong with them. */
export function workerEnvProblem(jobVariables: JsonValue | undefined, where: string): string | undefined {
  if (holdsText(jobVariables, OWN_ENV)) return `{{ $... }} in ${where}: a worker would put in what its own environment holds.`;
  if (!isObject(jobVariables)) return undefined;
  // What is called so is filled in where the name has the run, before that is filled in once more.
  if (Object.keys(jobVariables).some((key) => pathOf(key)[0] === 'ctx')) return `ctx in ${where}: a worker has it of the run.`;
  // A dotted one makes an object of the name, which is text again where the template has more than the name.
  return Object.entries(jobVariables).some(([key, value]) => pathOf(key)[0] === 'name' && isMade(value)) ? nameProblem(where) : undefined;
}

/** Of a pool's template. Its job has the name that runs and deployments give, with nothing around it that could become a template with that. */
export function workerEnvProblemOf(template: JsonValue | undefined, where: string): string | undefined {
  const [job, defaults] = sourcesOf(template);
  const name = field(job, 'name');
  if (holdsText(template, OWN_ENV)) return workerEnvProblem(template, where);
  return isMade(typeof name === 'string' ? name.replace(THE_NAME, WELL) : undefined) ? nameProblem(where) : workerEnvProblem(defaults, where);
}

/** Half a template may be made whole by what stands in the other place. */
function isMade(name: JsonValue | undefined): boolean {
  return holdsText(typeof name === 'string' ? name.replaceAll(OF_RUN, WELL) : name, /[{}]/);
}

function nameProblem(where: string): string {
  return `name in ${where} is made of a block, a variable or another template: a worker would fill it in once more, from its own environment.`;
}

/** In a key as well: which of them a worker fills in is not told apart. */
function holdsText(tree: JsonValue | undefined, form: RegExp): boolean {
  if (typeof tree === 'string') return form.test(tree);
  if (isList(tree)) return tree.some((item) => holdsText(item, form));
  return isObject(tree) && Object.entries(tree).some(([key, value]) => form.test(key) || holdsText(value, form));
}
