// Brings the policies on the disk into force: checked here, where the words go, and again by the control plane, which decides.
import { parsePolicyOutcome } from '../contract/policy-outcome.ts';
import { tellControlPlane } from '../decide/ask-control-plane.ts';
import { localPrincipal, makeItHold } from './admin.ts';
import type { CliContext, LoadedContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { renderProblems, testedPolicies } from './own-policies.ts';

/** Throws CommandFailed when nothing was changed, with every problem. */
export async function applyNow(context: CliContext, loaded: LoadedContext, why: string): Promise<void> {
  const { config, configFile, paths } = loaded;
  if (config.policies === null) throw new UsageError('lictor.yaml names no directory: add policies: DIRECTORY, then reload (SIGHUP).');
  const { problems, warnings } = testedPolicies(config);
  context.err.write(
    renderProblems(
      configFile,
      warnings.map((warning) => ({ ...warning, message: `warning: ${warning.message}` })),
    ),
  );
  if (problems.length > 0) throw new CommandFailed(`Nothing was changed.\n${renderProblems(configFile, problems).trimEnd()}`);
  const answer = await tellControlPlane(paths.adminSocket, '/apply-policies', { by: localPrincipal(), why });
  if (answer === 'away') throw new CommandFailed('The gateway does not run, so nothing was applied: lictor up reads the directory when it starts.');
  const outcome = answer === undefined ? undefined : parsePolicyOutcome(answer);
  if (outcome === undefined)
    throw new CommandFailed('The policies could not be applied, or no answer came: control.log says why, lictor policy history what is in force.');
  if (!outcome.applied) throw new CommandFailed(`Nothing was changed, revision ${outcome.revision} decides on.\n${outcome.why}`);
  await makeItHold(loaded);
  const { from, to } = outcome;
  context.out.write(from === to ? `These policies are in force already (revision ${to}).\n` : `Policies applied: revision ${from} -> ${to}.\n`);
}
