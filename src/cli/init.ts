// `lictor init`: from a running Prefect and an identity provider to a lictor.yaml that works.
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import type { Config, OidcProvider } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { renderProblem } from '../config/problem.ts';
import { parsePlainUrl } from '../config/sections/public-url.ts';
import type { Seen } from '../operations/init/seen.ts';
import type { Staging } from '../operations/init/staging.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import type { LoginSeen } from './init-login.ts';
import type { Given } from './init-questions.ts';
import type { Prompter } from './prompter.ts';
import { printable, quantity } from './text.ts';
import { whyNotWritten } from './write-whole.ts';

interface InitOptions {
  readonly answers?: string;
  readonly out?: string;
  readonly acceptHints?: boolean;
  readonly overwrite?: boolean;
}

const HELP = `
Asks for Prefect, the address of the gateway and the identity provider, and finds the rest. Writes lictor.yaml and files for
secrets (mode 600), checks them, and prints the next commands. Nothing is written before everything was checked.
Without a terminal it reads one answer from each line of standard input.

The answers file (YAML): prefect_url, auth_string_file, public_url, issuer, client_id, client_secret_file, admins (a list of
group:NAME or user names), tls ({ cert, key } or { self_made: true }). Optional: prefect_ca_file, issuer_ca_file, groups_claim, listen,
test_login (true: waits until a person has logged in once, and proposes roles from the groups of that login).

Example:
  lictor init --out /etc/lictor
  lictor init --answers answers.yaml --out /etc/lictor
`;

export function register(program: Command, context: CliContext, stdin: Readable = process.stdin): void {
  program
    .command('init')
    .description('write lictor.yaml for a Prefect that runs, after checking Prefect, the identity provider and this machine')
    .option('--answers <file>', 'answers as YAML: asks no questions')
    .option('--out <dir>', 'directory of lictor.yaml and of the secrets (default: that of --config)')
    .option('--accept-hints', 'with --answers: write in spite of hints')
    .option('--overwrite', 'with --answers: replace files after printing the differences')
    .addHelpText('after', HELP)
    .action((options: InitOptions) => init(context, stdin, options));
}

interface Session {
  readonly context: CliContext;
  readonly stdin: Readable;
  /** Absolute. */
  readonly out: string;
  readonly options: InitOptions;
  /** Undefined: with `--answers`, nobody is asked. */
  readonly prompter: Prompter | undefined;
}

async function init(context: CliContext, stdin: Readable, options: InitOptions): Promise<void> {
  const { openPrompter } = await import('./prompter.ts');
  const prompter = options.answers === undefined ? await openPrompter(context, stdin) : undefined;
  const session: Session = { context, stdin, out: resolve(options.out ?? dirname(context.configFile())), options, prompter };
  let staging: Staging | undefined;
  const stop = onSignal(context, () => staging?.discard());
  try {
    const given = await gather(session);
    const examined = await examine(session, given);
    staging = await prepare(session, examined);
    await finish(session, { ...examined, staging });
  } finally {
    stop();
    staging?.discard();
    prompter?.close();
  }
}

/** Removes the prepared files before the process ends. */
function onSignal({ err }: CliContext, discard: () => void): () => void {
  const end = (): void => {
    discard();
    err.write('\nInterrupted. Nothing was written.\n');
    process.exit(130);
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  return () => void process.off('SIGINT', end).off('SIGTERM', end);
}

async function gather({ context, options, prompter }: Session): Promise<Given> {
  if (prompter === undefined) return await (await import('./init-answers.ts')).readAnswers(context, resolve(options.answers ?? ''));
  const { askForAnswers } = await import('./init-questions.ts');
  return await askForAnswers({ context, prompter, show: (seen) => void context.out.write(`${lines(seen.now.filter(({ status }) => status !== 'ok'))}\n`) });
}

interface Examined {
  readonly given: Given;
  readonly seen: Seen;
  readonly servers: readonly string[];
  readonly tags: readonly string[];
  readonly pools: readonly string[];
  /** Prefect answers without a credential. */
  readonly isOpen: boolean;
  /** Of a test login. */
  readonly groups: readonly string[];
}

/** Prints what it found. Throws CommandFailed if something is wrong. */
async function examine(session: Session, given: Given): Promise<Examined> {
  const { context } = session;
  const { answers, authString } = given;
  const [{ examinePrefect }, { failed }] = await Promise.all([import('../operations/init/examine-prefect.ts'), import('../operations/init/seen.ts')]);
  const plain = parsePlainUrl(answers.public_url);
  const publicUrl = plain === undefined ? undefined : { origin: plain.origin, basePath: plain.path };
  const caFile = answers.prefect_ca_file ?? null;
  const [prefect, provider] = await Promise.all([
    examinePrefect({ urls: answers.prefect_url ?? [], authString, caFile, publicUrl, env: context.env }),
    onProvider(given, async (oidc, callbackUrl) => (await import('../operations/init/examine-provider.ts')).examineProvider(oidc, callbackUrl)),
  ]);
  const first = [...prefect.now, ...(provider?.now ?? [])];
  context.out.write(`${lines(first)}\n`);
  if (failed({ now: first })) throw stopped(first);
  const login = await tryLogin(session, given);
  const { servers, tags, pools, isOpen } = prefect;
  const seen = { now: [...first, ...(login?.now ?? [])], later: [prefect, provider, login].flatMap((each) => each?.later ?? []) };
  const groupsClaim = login?.groupsClaim;
  const chosen = groupsClaim === undefined ? given : { ...given, answers: { ...answers, groups_claim: groupsClaim } };
  return { given: chosen, seen, servers, tags, pools, isOpen, groups: login?.groups ?? [] };
}

/** Undefined: nobody logs in. */
async function tryLogin({ context, stdin, prompter }: Session, given: Given): Promise<LoginSeen | undefined> {
  const { answers } = given;
  return await onProvider(given, async (provider, callbackUrl) => {
    const isAsked =
      prompter === undefined ? answers.test_login === true : await prompter.confirm('Log in once now, to see which groups the provider sends', 'yes');
    if (!isAsked) return undefined;
    const { testLogin } = await import('./init-login.ts');
    const openPrompter = async (): Promise<Prompter> => (await import('./prompter.ts')).openPrompter(context, stdin);
    const found = await testLogin({ context, prompter, openPrompter, answers, provider, callbackUrl });
    context.out.write(`${lines(found.now)}\n`);
    return found;
  });
}

/** Undefined without a provider. */
async function onProvider<T>({ answers, clientSecret }: Given, work: (provider: OidcProvider, callbackUrl: string) => Promise<T>): Promise<T | undefined> {
  const { issuer } = answers;
  if (issuer === undefined) return undefined;
  const { IDP } = await import('../operations/init/answers.ts');
  const provider: OidcProvider = {
    ...{ id: IDP, type: 'oidc', issuer, clientSecret, clientId: answers.client_id ?? '' },
    ...{ scopes: ['openid', 'profile', 'email'], groupsClaim: answers.groups_claim ?? 'groups', caFile: answers.issuer_ca_file ?? null },
  };
  return await work(provider, `${answers.public_url.replace(/\/+$/, '')}/.lictor/callback/${IDP}`);
}

function stopped(now: Seen['now']): CommandFailed {
  const problems = now.filter(({ status }) => status === 'fail').length;
  return new CommandFailed(`${problems === 1 ? 'One problem' : `${problems} problems`}. Nothing was written.`);
}

/** Each finding with its remedy below it. */
function lines(verdicts: Seen['now']): string {
  const word = { ok: 'ok  ', warn: 'hint', fail: 'FAIL' } as const;
  return verdicts.map(({ status, message, remedy }) => `  ${word[status]}  ${printable(message)}${remedy === null ? '' : `\n        -> ${remedy}`}`).join('\n');
}

/** The new files, not yet in their place, checked there. */
async function prepare({ out }: Session, { given, servers, tags, isOpen, groups }: Examined): Promise<Staging> {
  const [{ stage }, { renderConfig }] = await Promise.all([import('../operations/init/staging.ts'), import('../operations/init/proposal.ts')]);
  const { answers, authString, clientSecret } = given;
  const newAuth = answers.auth_string_file === undefined && authString !== null && !isOpen;
  const newSecret = answers.client_secret_file === undefined && clientSecret !== null;
  const text = renderConfig({
    ...{ answers, servers, tags, groups },
    authStringFile: newAuth ? 'prefect-auth' : answers.auth_string_file,
    clientSecretFile: newSecret ? 'client-secret' : answers.client_secret_file,
  });
  const files = [
    { name: 'lictor.yaml', text, isSecret: false },
    ...(newAuth ? [{ name: 'prefect-auth', text: `${authString}\n`, isSecret: true }] : []),
    ...(newSecret ? [{ name: 'client-secret', text: `${clientSecret}\n`, isSecret: true }] : []),
  ];
  try {
    return stage(out, files);
  } catch (error) {
    throw new CommandFailed(`${out} was not written: ${whyNotWritten(error, join(out, 'lictor.yaml'))}`, error);
  }
}

interface Prepared extends Examined {
  readonly staging: Staging;
}

async function finish(session: Session, prepared: Prepared): Promise<void> {
  const { context, out, options, prompter } = session;
  const { staging, seen } = prepared;
  const config = checkedConfig(session, staging);
  const { isRunning, doctor, pathsAsTheyAre } = await running();
  const runs = isRunning(pathsAsTheyAre(context.stateDir()));
  const { examinePlace } = await import('../operations/init/examine-place.ts');
  const place = await examinePlace(config, runs);
  context.out.write(`${lines(place.now)}\n`);
  const now = [...seen.now, ...place.now];
  if (now.some(({ status }) => status === 'fail')) throw stopped(now);
  const hints = now.filter(({ status }) => status === 'warn').length;
  if (prompter === undefined && hints > 0 && options.acceptHints !== true)
    throw new CommandFailed(`Nothing was written: ${quantity(hints, 'hint')}. Do what they say, or add --accept-hints.`);
  await checkEdge(session, staging);
  const text = readFileSync(join(staging.directory, 'lictor.yaml'), 'utf8');
  if (prompter !== undefined) context.out.write(`\n${text}\n`);
  await consent(session, { hints, differences: staging.differences() });
  staging.commit();
  const file = join(out, 'lictor.yaml');
  context.out.write(`\n${file} was written, and lictor check accepts it.\n`);
  if (runs) await doctor({ ...context, configFile: () => file }, {}).catch(onlyPrinted);
  const later = [...seen.later, ...place.later];
  if (later.length > 0) context.out.write(`\nBefore you enforce it, see to these:\n${lines(later.map((verdict) => ({ ...verdict, status: 'warn' })))}\n`);
  context.out.write(nextCommands(session, prepared));
}

/** `lictor doctor` has printed the problems. */
function onlyPrinted(error: unknown): void {
  if (!(error instanceof CommandFailed)) throw error;
}

async function running() {
  const [{ doctor, pathsAsTheyAre }, { isRunning }] = await Promise.all([import('./doctor.ts'), import('../operations/doctor/doctor.ts')]);
  return { doctor, pathsAsTheyAre, isRunning };
}

function checkedConfig({ context }: Session, { directory }: Staging): Config {
  const file = join(directory, 'lictor.yaml');
  const loaded = loadConfig(file, context.env, { stateDir: context.stateDir() });
  if (loaded.ok) return loaded.config;
  throw new CommandFailed(`${loaded.problems.map((problem) => renderProblem('lictor.yaml', problem)).join('')}Nothing was written.`);
}

async function checkEdge({ context }: Session, { directory }: Staging): Promise<void> {
  const { findProblemsAside } = await import('./check.ts');
  const { problems } = await findProblemsAside(context, join(directory, 'lictor.yaml'));
  if (problems.length > 0) throw new CommandFailed(`${problems.map((problem) => renderProblem('lictor.yaml', problem)).join('')}Nothing was written.`);
}

interface Open {
  readonly hints: number;
  /** Of files that exist; empty: none. */
  readonly differences: string;
}

async function consent({ context, options, prompter, out }: Session, { hints, differences }: Open): Promise<void> {
  if (differences !== '') context.out.write(`\nThese files exist with other content:\n${differences}`);
  if (prompter === undefined) {
    if (differences !== '' && options.overwrite !== true)
      throw new CommandFailed('Nothing was written: files exist. Add --overwrite to replace them, or give another --out.');
    return;
  }
  const question = differences === '' ? `Write this to ${out}` : `Replace the files in ${out}`;
  if (await prompter.confirm(hints === 0 ? question : `${question}, in spite of ${quantity(hints, 'hint')}`, differences === '' ? 'yes' : 'no')) return;
  throw new CommandFailed('Nothing was written.');
}

function nextCommands({ context, out }: Session, { given: { answers }, pools }: Prepared): string {
  const file = join(out, 'lictor.yaml');
  const command = (words: string) => `  ${context.commandLine(words, file)}\n`;
  const [admin = 'admin'] = answers.admins;
  const worker = command(`token create worker --role worker${pools[0] === undefined ? '' : ` --pool '${pools[0]}'`}`);
  const second = answers.issuer === undefined ? command(`account add ${admin.replace(/^user:/, '')} --role admin`) : '';
  const last = answers.issuer === undefined ? '' : command('doctor');
  return `\nNext:\n  ${context.startLine(file)}\nIn another terminal:\n${second}${worker}${last}Then log in at ${answers.public_url}\n`;
}
