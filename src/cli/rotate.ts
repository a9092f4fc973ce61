// `lictor rotate upstream`: replaces the gateway's credential for Prefect. The gateway sends both until Prefect accepts the new one.
import { randomBytes } from 'node:crypto';
import { existsSync, rmSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import { askControlPlane } from '../authorization/decide/ask-control-plane.ts';
import { nextCredentialFile } from '../config/sections/prefect.ts';
import { steadyClock } from '../contract/clock.ts';
import { createNextCredentialProbe } from '../prefect/client/next-credential.ts';
import { recordAfter, recordFirst } from './admin.ts';
import type { CliContext, LoadedContext } from './context.ts';
import { putInPlace, readOffered, writeBeside } from './credential-file.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { durationOf } from './option-values.ts';
import { registerRotateKeys } from './rotate-keys.ts';
import { registerLedgerKey } from './rotate-ledger-key.ts';
import { runChild } from './run-child.ts';

interface RotateOptions {
  readonly from?: string;
  readonly wait: number;
  readonly abort?: boolean;
}

const HELP = `
A new auth string is made (or taken from --from; an API key always is) and written beside the file that lictor.yaml names, as FILE.next. From
then on the gateway shows Prefect whichever of the two it takes, request by request, and nothing fails. Start Prefect with the content of
FILE.next: by hand, or with a command behind --, which finds its path in LICTOR_NEXT_FILE. When every server takes the new one it becomes
FILE, and the old one is gone. The credential itself is printed nowhere. Run it again to go on with one that was begun.

Example:
  lictor rotate upstream -- sudo -n /usr/local/sbin/renew-prefect-auth     (docs/how-to/rotate-prefect-credential.md)
  lictor rotate upstream --from /run/secrets/new-prefect-key
`;

export function register(program: Command, context: CliContext): void {
  const rotate = program
    .command('rotate')
    .description("replace the gateway's own credential for Prefect, or the keys that it signs with")
    .addHelpText('after', '\nExample:\n  lictor rotate upstream\n');
  registerRotateKeys(rotate, context);
  rotate
    .command('upstream')
    .description("replace Prefect's credential without a failed request; uses the old one until Prefect accepts the new one")
    .argument('[command...]', 'after --: starts Prefect with the credential in the file $LICTOR_NEXT_FILE')
    .option('--from <file>', 'the new credential, instead of one that is made here; mode 600')
    .addOption(new Option('--wait <duration>', 'how long Prefect may take to come up with it').argParser(durationOf('--wait')).default(600_000, '10m'))
    .option('--abort', 'give up a rotation that was begun')
    .addHelpText('after', HELP)
    .action((command: readonly string[], options: RotateOptions) => rotateUpstream(context, command, options));
  registerLedgerKey(rotate, context);
}

async function rotateUpstream(context: CliContext, command: readonly string[], options: RotateOptions): Promise<void> {
  const loaded = await context.loadContext({ secrets: 'read' });
  const { configFile, config } = loaded;
  const { credentialFile: file } = config.prefect;
  if (file === null) {
    throw new CommandFailed(`${configFile} names no file with the credential for Prefect. Name one there, in prefect.auth_string_file (or api_key_file).`);
  }
  const place: Place = { context, loaded, file, next: nextCredentialFile(file) };
  if (options.abort === true) return abort(place);
  await begin(place, options);
  await untilTaken(place, command, options.wait);
  await finish(place);
}

interface Place {
  readonly context: CliContext;
  readonly loaded: LoadedContext;
  readonly file: string;
  readonly next: string;
}

/** After this step the gateway sends both credentials. */
async function begin(place: Place, { from }: RotateOptions): Promise<void> {
  const { context, loaded, file, next } = place;
  const { prefect } = loaded.config;
  // A rotation that was interrupted before its last step.
  if (prefect.next !== null && prefect.next === (prefect.apiKey ?? prefect.authString)) rmSync(next, { force: true });
  const goesOn = existsSync(next);
  if (goesOn && from !== undefined) throw new UsageError('A rotation was begun already: go on without --from, or give it up with --abort.');
  if (goesOn) context.out.write('A rotation that was begun goes on.\n');
  else createNext(place, from);
  const asked = await askControlPlane(loaded.paths.adminSocket, '/reread-secrets', REREAD_MS);
  if (asked === 'done') return;
  if (!goesOn) rmSync(next, { force: true });
  if (asked === 'refused')
    throw new CommandFailed(`The gateway could not take the new credential: control.log in the state directory says why. ${await goneBack(place)}`);
  throw new CommandFailed(`The gateway does not run. Start it first; or, while it is down, write the new credential into ${file} and start Prefect with it.`);
}

/** The gateway may have read the new credential already. It drops it when it reads the files again. */
async function goneBack({ loaded, next }: Place): Promise<string> {
  if (existsSync(next)) return 'Run this again to go on, or with --abort to give it up.';
  const back = (await askControlPlane(loaded.paths.adminSocket, '/reread-secrets', REREAD_MS)) === 'done';
  return back ? 'Nothing was changed.' : 'Fix what it names, then kill -HUP the gateway: it may still show the new one, which is in no file any more.';
}

function createNext({ loaded, file, next }: Place, from: string | undefined): void {
  const { authString, apiKey } = loaded.config.prefect;
  if (apiKey !== null && from === undefined) throw new UsageError('Prefect makes its keys itself: make one there, and name its file with --from.');
  const credential = from === undefined ? makeAuthString(authString) : readOffered(from, apiKey === null ? 'auth-string' : 'api-key');
  recordFirst(loaded, { action: 'upstream.rotate_begin', resourceType: 'Prefect', resourceId: 'credential' });
  writeBeside(file, next, credential);
}

/** The gateway lets nginx test the configuration, and reloads it. */
const REREAD_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** The user name has no meaning. It stays, because a person may remember it. */
function makeAuthString(present: string | null): string {
  const [user = 'lictor'] = (present ?? '').split(':');
  return `${user === '' ? 'lictor' : user}:${randomBytes(32).toString('base64url')}`;
}

async function untilTaken({ context, loaded, next }: Place, command: readonly string[], waitMs: number): Promise<void> {
  const reload = await context.loadContext({ secrets: 'read' });
  const look = createNextCredentialProbe(reload.config.prefect);
  try {
    if (!(await look.everywhere())) {
      if (command.length > 0) await runStart(context, command, next);
      else
        context.out.write(
          `The gateway shows Prefect both credentials. Start Prefect with the new one, which is in ${next}:\n${startLine(loaded, next)}Waiting for it.\n`,
        );
    }
    const until = steadyClock() + waitMs;
    while (!(await look.everywhere())) {
      if (steadyClock() >= until) {
        throw new CommandFailed(
          'Prefect does not take the new credential yet. The gateway goes on showing both: run this again to go on, or with --abort to give it up.',
        );
      }
      await wait(LOOK_EVERY_MS);
    }
  } finally {
    await look.close();
  }
}

function startLine({ config }: LoadedContext, next: string): string {
  return config.prefect.apiKey === null ? `  PREFECT_SERVER_API_AUTH_STRING="$(cat ${next})" prefect server start\n` : '';
}

async function runStart(context: CliContext, command: readonly string[], next: string): Promise<void> {
  const env = Object.fromEntries(
    Object.entries({ ...context.env, LICTOR_NEXT_FILE: next }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  const status = await runChild(command, env, (line) => void context.err.write(`lictor: ${line}\n`));
  if (status !== 0)
    throw new CommandFailed(
      `The command ended with status ${status}. The gateway goes on showing both credentials: run this again, or give it up with --abort.`,
    );
}

async function finish(place: Place): Promise<void> {
  const { context, loaded, file, next } = place;
  putInPlace(next, file);
  recordAfter(context, loaded, { action: 'upstream.rotate', resourceType: 'Prefect', resourceId: 'credential' });
  if (!(await settle(place))) {
    throw new CommandFailed(
      'Prefect takes the new credential and it is in its file, but the gateway did not drop the old one: kill -HUP it, control.log says why.',
    );
  }
  context.out.write('Prefect has a new credential; the old one is gone.\n');
}

/** The time in which nginx's former workers may still start to send requests with the former configuration. */
const LINGER_MS = 5000;

/** Now both files have the same credential, so the gateway sends no other. The members of nginx's former workers stay open for a while. */
async function settle({ loaded, next }: Place): Promise<boolean> {
  if ((await askControlPlane(loaded.paths.adminSocket, '/reread-secrets', REREAD_MS)) !== 'done') return false;
  await wait(LINGER_MS);
  rmSync(next, { force: true });
  return (await askControlPlane(loaded.paths.adminSocket, '/reread-secrets', REREAD_MS)) === 'done';
}

async function abort(place: Place): Promise<void> {
  const { context, loaded, file, next } = place;
  if (!existsSync(next)) throw new CommandFailed('No rotation was begun.');
  const { prefect } = loaded.config;
  const look = createNextCredentialProbe(prefect);
  const taken = await look.anywhere().finally(() => look.close());
  if (taken)
    throw new CommandFailed('A Prefect server takes the new credential already: start it with the old one first, or go on with lictor rotate upstream.');
  writeBeside(file, next, prefect.apiKey ?? prefect.authString ?? '');
  recordAfter(context, loaded, { action: 'upstream.rotate_abort', resourceType: 'Prefect', resourceId: 'credential' });
  // The gateway may not run: then only the file is removed.
  if (!(await settle(place))) rmSync(next, { force: true });
  context.out.write('Given up: Prefect keeps its credential.\n');
}
