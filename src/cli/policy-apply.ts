// Brings the policies on the disk into force. The command checks them to print problems, and the control plane checks them again.

import { notifyControlPlane } from '../authorization/decide/ask-control-plane.ts';
import { parsePolicyOutcome } from '../contract/policy-outcome.ts';
import { makeItHold } from './admin.ts';
import type { CliContext, LoadedContext } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { renderProblems, testedPolicies } from './own-policies.ts';

export interface Applying {
  readonly why: string;
  /** A text about files that the command has just written, for the case that they are not applied. */
  readonly files?: string;
}

/** Throws CommandFailed with every problem if nothing was applied. */
export async function applyNow(context: CliContext, loaded: LoadedContext, { why, files }: Applying): Promise<void> {
  const { config, configFile, paths, operator } = loaded;
  if (config.policies === null) throw new UsageError('lictor.yaml names no directory: add policies: DIRECTORY, then reload (SIGHUP).');
  const nothing = files === undefined ? 'Nothing was changed' : 'Nothing was applied';
  const notApplied = (message: string) => new CommandFailed(files === undefined ? message : `${message}\n${files}`);
  const { problems, warnings } = testedPolicies(config);
  context.err.write(
    renderProblems(
      configFile,
      warnings.map((warning) => ({ ...warning, message: `warning: ${warning.message}` })),
    ),
  );
  if (problems.length > 0) throw notApplied(`${nothing}.\n${renderProblems(configFile, problems).trimEnd()}`);
  const answer = await notifyControlPlane(paths.adminSocket, '/apply-policies', { by: operator.principal, onBehalfOf: operator.asserted, why });
  if (answer === 'away') throw notApplied('The gateway does not run, so nothing was applied: lictor up reads the directory when it starts.');
  const outcome = answer === undefined ? undefined : parsePolicyOutcome(answer);
  if (outcome === undefined)
    throw notApplied('The policies could not be applied, or no answer came: control.log says why, lictor policy history what is in force.');
  if (!outcome.applied) throw notApplied(`${nothing}, revision ${outcome.revision} decides on.\n${outcome.why}`);
  await makeItHold(context, loaded);
  const { from, to } = outcome;
  context.out.write(from === to ? `These policies are in force already (revision ${to}).\n` : `Policies applied: revision ${from} -> ${to}.\n`);
}
