// nginx and Prefect of this installation against the versions that this Lictor was tested with.

import { isOlder } from '../../contract/release.ts';
import { atLeast, findNginx, TESTED_NGINX } from '../../edge/nginx/version.ts';
import { SUPPORTED } from '../../prefect/catalog/versions.ts';
import { fail, ok, type Verdict, warn } from '../doctor/finding.ts';
import { parseJson } from '../doctor/outside/http-probe.ts';
import { authorizationOf, type UpstreamSubject } from '../doctor/outside/upstream.ts';

/** `checkNginx` of doctor reports one that is missing or too old. */
export async function checkTestedNginx(env: NodeJS.ProcessEnv): Promise<readonly Verdict[]> {
  const version = await findNginx(env).catch(() => undefined);
  const [major, minor] = TESTED_NGINX.newest;
  if (version === undefined) return [];
  if (!atLeast(version, major, minor + 1, 0)) return [ok(`nginx ${version.text} is in the tested range`)];
  return [warn(`nginx ${version.text} is newer than ${major}.${minor}, the newest that this Lictor was tested with`, 'Try it on another machine first.')];
}

/** `checkCredential` of doctor reports one that does not answer. */
export async function checkTestedPrefect({ url, authorization, tls, probe }: UpstreamSubject): Promise<readonly Verdict[]> {
  const answer = await probe({ url: `${url}/api/admin/version`, headers: authorizationOf(authorization), tls });
  const version = answer.ok ? parseJson(answer.body) : undefined;
  return typeof version === 'string' ? [testedPrefect(version)] : [];
}

function testedPrefect(version: string): Verdict {
  const { oldest, newestTested } = SUPPORTED;
  if (isOlder(version, oldest) === true)
    return fail(`Prefect ${version} is older than ${oldest}, the oldest that this Lictor supports`, 'Upgrade Prefect to a newer 3.x release first.');
  if (isOlder(newestTested, version) !== true) return ok(`Prefect ${version} is in the tested range`);
  return warn(
    `Prefect ${version} is newer than ${newestTested}, the newest that this Lictor was tested with`,
    'A line above names routes that it does not know.',
  );
}
