// `lictor upgrade --check`: what this version breaks in a configuration and a state directory that an earlier one has used. Changes nothing.
import { relative } from 'node:path';
import type { Command } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import type { Config } from '../config/config.ts';
import type { Problem } from '../config/load.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { assertStateOurs } from '../config/state-owner.ts';
import { type Check, type Finding, fail, type Verdict, warn } from '../operations/doctor/finding.ts';
import { checkNginx } from '../operations/doctor/inside/nginx-version.ts';
import { upstreamSubjects } from '../operations/doctor/outside/bypasses.ts';
import { checkCredential, checkRoutes } from '../operations/doctor/outside/upstream.ts';
import { inOrder, runChecks } from '../operations/doctor/run-checks.ts';
import { checkGiven } from '../operations/upgrade/given.ts';
import { checkStateVersions } from '../operations/upgrade/state.ts';
import { checkTestedNginx, checkTestedPrefect } from '../operations/upgrade/versions.ts';
import { operationsOf } from '../prefect/catalog/versions.ts';
import { parseColumn } from '../store/json-column.ts';
import { readRows } from '../store/rows.ts';
import { findProblemsAside } from './check.ts';
import type { CliContext } from './context.ts';
import { loadForChecks, pathsAsTheyAre, runProgram } from './doctor.ts';
import { renderFindings } from './doctor-text.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { problemsInForce } from './own-policies.ts';
import { lookOf } from './table.ts';

interface UpgradeOptions {
  readonly check?: boolean;
  readonly json?: boolean;
}

const HELP = `
Run it with the new version, before it replaces the old one. The gateway may run meanwhile.
It names keys that were removed or renamed, own policies that are invalid now, and roles and scopes that do not exist any more.
It also names an nginx that rejects what is rendered, and versions of nginx and Prefect that were not tested.
It says what happens to the state directory.
Exit status 0 when no line says FAIL. lictor upgrade installs nothing: docs/how-to/upgrading.md.

Example:
  lictor upgrade --check -c /etc/lictor/lictor.yaml --state-dir /var/lib/lictor
`;

export function register(program: Command, context: CliContext): void {
  program
    .command('upgrade')
    .description('find what this version breaks in your configuration and state directory')
    .option('--check', 'check only; required')
    .option('--json', 'one object')
    .addHelpText('after', HELP)
    .action((options: UpgradeOptions) => upgrade(context, options));
}

/** Throws CommandFailed without a text if there is a problem: it was printed. */
async function upgrade(context: CliContext, { check, json }: UpgradeOptions): Promise<void> {
  if (check !== true) throw new UsageError('lictor upgrade installs nothing. Write lictor upgrade --check, and see docs/how-to/upgrading.md.');
  assertStateOurs(context.stateDir());
  const findings = await examined(context);
  const isFit = findings.every(({ status }) => status !== 'fail');
  if (json === true) context.out.write(`${JSON.stringify({ ok: isFit, version: manifest.version, findings })}\n`);
  else context.out.write(`${renderFindings(findings, lookOf(context)).join('\n')}; lictor ${manifest.version}\n`);
  if (!isFit) throw new CommandFailed('');
}

async function examined(context: CliContext): Promise<readonly Finding[]> {
  const file = context.configFile();
  const { problems, warnings } = await findProblemsAside(context, file);
  const { config, secretsKnown } = loadForChecks(context);
  const name = relative(process.cwd(), file) || file;
  const ofFile: Check = {
    group: 'machine',
    name: 'config',
    run: () => [
      ...problems.map((problem) => fail(words(name, problem), problem.remedy)),
      ...warnings.map((problem) => warn(words(name, problem), problem.remedy)),
    ],
  };
  const checks = config === undefined ? [] : checksOf(context, config, secretsKnown);
  return inOrder(await runChecks([ofFile, nginxCheck(context), ...checks]));
}

function words(name: string, { file = name, line, path, message }: Problem): string {
  return `${[file, line].filter((part) => part !== undefined).join(':')} ${path === '' ? '' : `${path}: `}${message}`;
}

function nginxCheck({ env }: CliContext): Check {
  return {
    group: 'machine',
    name: 'nginx',
    run: async () => [await checkNginx({ ...env }, runProgram({ env })), ...(await checkTestedNginx({ ...env }))],
  };
}

function checksOf(context: CliContext, config: Config, secretsKnown: boolean): readonly Check[] {
  const paths: StatePaths = pathsAsTheyAre(context.stateDir());
  const subjects = secretsKnown ? upstreamSubjects({ config, env: { ...context.env } }) : [];
  return [
    { group: 'machine', name: 'state', run: () => checkStateVersions({ paths, storeAt: config.storeAt }) },
    { group: 'machine', name: 'given', run: () => checkGiven(config) },
    { group: 'machine', name: 'policies-in-force', run: () => checkPoliciesInForce(config) },
    ...subjects.flatMap((subject): Check[] => [
      { group: 'upstream', name: 'credential', run: () => checkCredential(subject) },
      { group: 'upstream', name: 'routes', run: () => checkRoutes(subject, operationsOf) },
      { group: 'upstream', name: 'version', run: () => checkTestedPrefect(subject) },
    ]),
  ];
}

const IN_FORCE = 'SELECT files FROM policy_sets ORDER BY created_ms DESC, revision DESC LIMIT 1';

/** A start uses the set that was applied last, not the files. */
async function checkPoliciesInForce({ policies, storeAt }: Pick<Config, 'policies' | 'storeAt'>): Promise<readonly Verdict[]> {
  const [row] = policies === null ? [] : await readRows(storeAt, IN_FORCE);
  if (row === undefined) return [];
  const parsed = parseColumn(String(row['files']), 'policy set');
  const files = Object.fromEntries(Object.entries(parsed ?? {}).map(([name, text]) => [name, String(text)]));
  return problemsInForce(files).map((problem) =>
    fail(`the policies in force: ${words('', problem)}`, `${problem.remedy} Apply the corrected set with the former version: lictor policy apply.`),
  );
}
