// The installed nginx: new enough for the gateway, and with all patches of its distribution.
import { LictorError } from '../../../contract/error.ts';
import { findNginx, type NginxVersion } from '../../../edge/nginx/version.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';

/** Standard output of a program. Null: it is missing or fails. */
export type RunProgram = (command: string, args: readonly string[]) => Promise<string | null>;

const PACKAGES = ['nginx', 'nginx-light', 'nginx-core', 'nginx-full', 'nginx-extras'];

export async function checkNginx(env: NodeJS.ProcessEnv, run: RunProgram): Promise<Verdict> {
  try {
    const version = await findNginx(env);
    return env['LICTOR_NGINX'] === undefined
      ? await comparedWithDistribution(version, run)
      : ok(`nginx ${version.text} at ${version.binary}, from LICTOR_NGINX`);
  } catch (error) {
    if (!(error instanceof LictorError)) throw error;
    return error.code === 'nginx-too-old'
      ? fail(`nginx is too old: ${error.message}`, 'Install a newer one, or name another one in LICTOR_NGINX.')
      : fail(error.message.split(/[:;] /)[0] ?? error.message, 'Debian, Ubuntu: apt-get install nginx. Or name another one in LICTOR_NGINX.');
  }
}

async function comparedWithDistribution(version: NginxVersion, run: RunProgram): Promise<Verdict> {
  const policy = await run('apt-cache', ['policy', ...PACKAGES]);
  const behind = outdated(policy ?? '');
  const known = installed(policy ?? '').length > 0;
  if (behind === undefined) return ok(`nginx ${version.text}${known ? ', the newest of its distribution' : ''}`);
  return warn(
    `nginx ${version.text} is older than its distribution's: ${behind.installed} is installed, ${behind.candidate} is available`,
    `Security fixes are missing: apt-get install --only-upgrade ${behind.name}, then restart lictor up.`,
  );
}

interface Packaged {
  readonly name: string;
  readonly installed: string;
  readonly candidate: string;
}

/** The first installed package of `apt-cache policy` with another candidate. Without pinning, apt never names an older one. */
export function outdated(policy: string): Packaged | undefined {
  return installed(policy).find((entry) => entry.candidate !== '(none)' && entry.installed !== entry.candidate);
}

/** An nginx that was built by hand is in no package. */
function installed(policy: string): readonly Packaged[] {
  const entries = [...policy.matchAll(/^(\S+):\n {2}Installed: (\S+)\n {2}Candidate: (\S+)/gm)];
  return entries
    .map(([, name = '', version = '', candidate = '']) => ({ name, installed: version, candidate }))
    .filter((entry) => entry.installed !== '(none)');
}
