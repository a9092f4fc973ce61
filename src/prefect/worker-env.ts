// What a worker puts into a job of its own environment, where the credential is that it has for the gateway.
//
// Workers fill in `{{ $NAME }}` from their `os.environ` (`apply_values` of 3.9.1): in all of a pool's `job_configuration`, in a job's `env` where the
// pool has a default for that, and in its name, which they fill in once more after blocks and variables have been put into it
// (workers/base.py). Pull steps do it in the run, whose environment is its own. Not seen here: what is put together of several values before that.
import { field, isList, isObject, type JsonValue } from '../json/tree.ts';
import { sourcesOf } from './job-env.ts';

/** Python takes some control characters for blanks too. */
const OWN_ENV = /\{\{[\s\p{Cc}]*\$/u;

/** A block or a variable in a template. */
const STORED = /\{\{[\s\p{Cc}]*prefect\./u;

/** Whatever is filled in before the name is; `ctx` is what is meant to be. */
const BEFORE_NAME = /\{\{[\s\p{Cc}]*(?:name|ctx\.[\p{L}\p{M}\p{N}_.-]*)[\s\p{Cc}]*\}\}/gu;

/** A sentence for the client about job variables, or the defaults of a pool's; undefined: nothing is wrong with them. */
export function workerEnvProblem(jobVariables: JsonValue | undefined, where: string): string | undefined {
  if (holdsText(jobVariables, OWN_ENV)) return `{{ $... }} in ${where}: a worker would put in what its own environment holds.`;
  const name = isObject(jobVariables) ? field(jobVariables, 'name') : undefined;
  return holdsText(name, STORED) ? nameProblem(where) : undefined;
}

/** Of a pool's template. Its job has the name that runs and deployments give, with nothing around it that could become a template with that. */
export function workerEnvProblemOf(template: JsonValue | undefined, where: string): string | undefined {
  if (holdsText(template, OWN_ENV)) return workerEnvProblem(template, where);
  const [job, defaults] = sourcesOf(template);
  const name = field(job, 'name');
  const isMade = typeof name === 'string' && name.replaceAll(BEFORE_NAME, '').includes('{');
  return isMade || holdsText(field(defaults, 'name'), STORED) ? nameProblem(where) : undefined;
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
