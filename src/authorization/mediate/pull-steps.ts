// Pull steps with arguments that git would read as options: `--upload-pack=...` executes a command on the worker (CVE-2026-5366).
//
// Not checked: the text that a template in such an argument becomes on the worker. Prefect 3.9.1 checks it there.
import { isList, isObject, type JsonObject, type JsonValue, textsIn } from '../../contract/json/tree.ts';

/** Arguments of the steps that clone or pull. */
const GIT_ARGUMENTS = ['repository', 'url', 'branch', 'commit_sha', 'commit', 'ref', 'reference', 'tag', 'directories', 'clone_directory_name'];

/** True when any step has such an argument. `steps` as a deployment has them: `[{"prefect.deployments.steps.git_clone": {...}}]`. */
export function hasGitOption(steps: JsonValue | undefined): boolean {
  if (isList(steps)) return steps.some(hasGitOption);
  if (!isObject(steps)) return false;
  return isSuspect(steps) || Object.values(steps).some(hasGitOption);
}

function isSuspect(step: JsonObject): boolean {
  return GIT_ARGUMENTS.some((name) => Object.hasOwn(step, name) && textsOf(step[name] ?? null).some((text) => /^\s*(-|ext::)/.test(text)));
}

function textsOf(value: JsonValue): readonly string[] {
  if (typeof value === 'string') return [value];
  return textsIn(value);
}
