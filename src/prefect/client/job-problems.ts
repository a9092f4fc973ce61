// Fields of job variables and of a pool's template that Lictor rejects. The sentence for the client quotes nothing of the body.
import type { JsonValue } from '../../contract/json/tree.ts';
import { hidesEnv, isBlockTemplate, reservedInTemplate, reservedNames } from './job-env.ts';
import { labelProblem, labelProblemOf } from './job-labels.ts';
import { workerEnvProblem, workerEnvProblemOf } from './worker-env.ts';

const JOB = 'job_variables';

export function problemOfVariables(jobVariables: JsonValue | undefined): string | undefined {
  if (hidesEnv(jobVariables)) return `env in ${JOB} must be an object of names and values: a template or a block in its place would hide them.`;
  return reservedProblem(reservedNames(jobVariables), JOB) ?? workerEnvProblem(jobVariables, JOB) ?? labelProblem(jobVariables, JOB);
}

/** `where`: the client's field. `apiUrl`: the address of the gateway, which a template may name for its jobs. */
export function problemOfTemplate(template: JsonValue | undefined, where: string, apiUrl?: string): string | undefined {
  if (isBlockTemplate(template)) return `job_configuration in ${where} must be an object of its own: the data of a block in its place would hide it.`;
  return reservedProblem(reservedInTemplate(template, apiUrl), where) ?? workerEnvProblemOf(template, where) ?? labelProblemOf(template, where);
}

/** The names come from a closed list, so the sentence contains no value of the body. */
function reservedProblem(names: readonly string[], where: string): string | undefined {
  if (names.length === 0) return undefined;
  const known = [...new Set(names.map((name) => name.trim().toUpperCase()))].sort();
  return `${known.join(', ')} in ${where}: set by the gateway and the worker alone.`;
}
