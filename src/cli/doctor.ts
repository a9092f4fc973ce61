// `lictor doctor`: finds problems of a gateway before users see them.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { realpathSync } from 'node:fs';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { loadConfig, type Problem } from '../config/load.ts';
import { type StatePaths, statePaths } from '../config/state-dir.ts';
import { assertStateOurs } from '../config/state-owner.ts';
import { nginxWorkerUser } from '../config/worker-user.ts';
import { systemClock } from '../contract/clock.ts';
import { DOCTOR_REQUESTS } from '../contract/doctor-records.ts';
import { DOCTOR_RULE } from '../contract/names.ts';
import { createTokenId, createTokenText, hashToken } from '../identity/authn/service-token/token-text.ts';
import type { DoctorContext } from '../operations/doctor/context.ts';
import { examine, isRunning } from '../operations/doctor/doctor.ts';
import type { Finding } from '../operations/doctor/finding.ts';
import type { RunProgram } from '../operations/doctor/inside/nginx-version.ts';
import { statfs } from '../operations/doctor/inside/space.ts';
import { followOwnRequests } from '../operations/doctor/own-requests.ts';
import { openStore, type Store } from '../store/store.ts';
import { makeItHold, recordAfter, recordFirst } from './admin.ts';
import type { CliContext } from './context.ts';
import { renderFindings } from './doctor-text.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { operatorOf } from './operator.ts';
import { lookOf } from './table.ts';

interface DoctorOptions {
  readonly json?: boolean;
  readonly deep?: boolean;
  readonly login?: boolean;
}

const HELP = `
While the gateway runs, a token with the roles viewer and worker is made for this run (two minutes, revoked at its end, both
recorded) to try the sockets. Nothing else is changed. Exit status 0 when no line says FAIL.
--deep also tries what proxies in between do to requests, answers, bodies, cookies and addresses. It checks the certificate as
Python sees it, the clients and groups of providers, files of the state directory, and further Prefect servers here. It takes up
to a minute.

Example:
  lictor doctor -c /etc/lictor/lictor.yaml --state-dir /var/lib/lictor
  lictor doctor --deep
  SSL_CERT_FILE=/etc/ssl/our-ca.pem lictor doctor     (clients that trust an authority of your own)
`;

export function register(program: Command, context: CliContext): void {
  program
    .command('doctor')
    .description('check a running gateway from inside and outside: public_url, sockets, Prefect, certificates, clock, disk; each problem with its remedy')
    .option('--deep', 'also every proxy in between, as clients meet it')
    .option('--login', 'with --deep: log in at a provider, to see its groups')
    .option('--json', 'one object')
    .addHelpText('after', HELP)
    .action((options: DoctorOptions) => doctor(context, options));
}

/** Throws CommandFailed without a text if there is a problem: it was printed. */
export async function doctor(context: CliContext, options: DoctorOptions): Promise<void> {
  const { json, deep, login } = options;
  if (login === true && deep !== true) throw new UsageError('--login needs --deep: lictor doctor --deep --login');
  const { running, paths } = placeOf(context);
  if (json !== true && !running) context.out.write(`The gateway does not run with ${paths.root}: only what can be seen without it is checked.\n\n`);
  const onLogin = (page: string, code: string): void =>
    void context.err.write(`\nOpen this address in a browser, check that it shows the code, and log in:\n\n    ${page}\n\n    ${code}\n\n`);
  const findings = await diagnose(context, {
    onProgress: (line) => void (json === true || context.err.write(`${line}\n`)),
    deep: deep === true,
    onLogin: login === true ? onLogin : null,
  });
  const healthy = findings.every(({ status }) => status !== 'fail');
  if (json === true) context.out.write(`${JSON.stringify({ ok: healthy, running, findings })}\n`);
  else context.out.write(`${renderFindings(findings, lookOf(context)).join('\n')}\n`);
  if (!healthy) throw new CommandFailed('');
}

/** Another user would get wrong findings about owners and modes, and remedies that break the gateway's files. */
function placeOf(context: CliContext) {
  assertStateOurs(context.stateDir());
  const paths = pathsAsTheyAre(context.stateDir());
  return { paths, running: isRunning(paths) };
}

/** Problems of the configuration, and all that can be checked in spite of them. */
export async function diagnose(context: CliContext, ways: Ways): Promise<readonly Finding[]> {
  const { paths, running } = placeOf(context);
  const { config, secretsKnown, problems } = loadForChecks(context);
  const found = problems.map(asFinding);
  return config === undefined ? found : [...found, ...(await examined(context, paths, { ...ways, config, secretsKnown, running }))];
}

type Ways = Pick<DoctorContext, 'onProgress' | 'deep' | 'onLogin'>;

/** Creates no directory, because a missing one is a finding. */
export function pathsAsTheyAre(stateDir: string): StatePaths {
  const { run } = statePaths(stateDir, '');
  try {
    return statePaths(realpathSync(stateDir), realpathSync(run));
  } catch {
    return statePaths(stateDir, run);
  }
}

interface Loaded {
  readonly config: Config | undefined;
  readonly secretsKnown: boolean;
  readonly problems: readonly Problem[];
}

/** If only secrets have problems, the command still checks the rest. */
export function loadForChecks(context: CliContext): Loaded {
  const read = loadConfig(context.configFile(), context.env, { stateDir: context.stateDir(), secrets: 'read' });
  if (read.ok) return { config: read.config, secretsKnown: true, problems: [] };
  const skipped = loadConfig(context.configFile(), context.env, { stateDir: context.stateDir(), secrets: 'skip' });
  return { config: skipped.ok ? skipped.config : undefined, secretsKnown: false, problems: read.problems };
}

function asFinding({ path, message, remedy }: Problem): Finding {
  return {
    group: path.startsWith('tls') ? 'certificates' : 'machine',
    check: 'config',
    status: 'fail',
    message: `lictor.yaml${path === '' ? '' : ` ${path}`}: ${message}`,
    remedy,
  };
}

interface Examined extends Ways, Pick<DoctorContext, 'config' | 'secretsKnown'> {
  readonly running: boolean;
}

async function examined(context: CliContext, paths: StatePaths, { running, ...ways }: Examined): Promise<readonly Finding[]> {
  const own = followOwnRequests(ways.config.publicUrl);
  const checked: Omit<DoctorContext, 'token'> = {
    own,
    ...{ ...ways, paths, statfs, workerUser: nginxWorkerUser(), env: { ...context.env }, clock: systemClock },
    run: runProgram(context),
  };
  if (!running) return examine({ ...checked, token: undefined });
  const session: Session = { config: ways.config, paths, configFile: context.configFile(), operator: operatorOf(context.env) };
  const findings = await withToken(context, session, (token) => examine({ ...checked, token }));
  const requests = [...own.refused].join(' ');
  if (requests !== '') recordAfter(context, session, { action: DOCTOR_REQUESTS, resourceType: 'DoctorRequests', resourceId: requests });
  return findings;
}

/** A program that is missing, fails or hangs has no output. */
export function runProgram({ env }: Pick<CliContext, 'env'>): RunProgram {
  return (command, args) =>
    new Promise((resolve) =>
      execFile(command, [...args], { timeout: 10_000, env: { ...env, LC_ALL: 'C' } }, (error, stdout) => resolve(error === null ? stdout : null)),
    );
}

const LIFETIME_MS = 120_000;
const ROLES = ['viewer', 'worker'] as const;

type Session = Parameters<typeof recordFirst>[0];

/** Creates and revokes a token as `lictor token` does. Its lifetime ends it even if this process is killed. */
async function withToken(
  context: CliContext,
  session: Session,
  work: (token: DoctorContext['token']) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const store = await openStore({ at: session.config.storeAt, clock: systemClock }).catch(messageOf);
  if (typeof store === 'string') return work(store);
  const name = `doctor-${randomBytes(4).toString('hex')}`;
  const { id, text: secret } = createTokenText(createTokenId());
  try {
    return await work(await mint(session, store, { id, name, secret }).catch(messageOf));
  } finally {
    if (await store.tokens.revoke(id)) await revoked(context, session, name);
    await store.close();
  }
}

async function mint(session: Session, store: Store, { id, name, secret }: { readonly id: string; readonly name: string; readonly secret: string }) {
  const expiresAt = new Date(systemClock() + LIFETIME_MS).toISOString();
  const grants = ROLES.map((role) => ({ expires_at: expiresAt, members: [`token:${name}`], networks: [], role, rules: [DOCTOR_RULE], scope: null }));
  recordFirst(session, { action: 'token.create', resourceType: 'ServiceToken', resourceId: name, grants });
  await store.tokens.create({ id, name, roles: ROLES, cidrs: [], lifetimeMs: LIFETIME_MS, hash: hashToken(secret) });
  return { secret };
}

async function revoked(context: CliContext, session: Session, name: string): Promise<void> {
  recordAfter(context, session, { action: 'token.revoke', resourceType: 'ServiceToken', resourceId: name });
  await makeItHold(context, session).catch((error: unknown) => context.err.write(`lictor: ${messageOf(error)}\n`));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
