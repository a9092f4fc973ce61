// `lictor login`: logs in the user of this machine, with a code that a person allows in the browser.
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { CLIENT_SCOPES, isClientScope } from '../contract/client-scopes.ts';
import { steadyClock } from '../contract/clock.ts';
import { type AtGateway, atGateway, timeLimit } from './at-gateway.ts';
import type { CliContext, GlobalOptions } from './context.ts';
import { CommandFailed, UsageError } from './errors.ts';
import { SourceError } from './sidecar/credential.ts';
import type { Begun, Refused, Tokens } from './sidecar/login/authorization.ts';

interface Options {
  readonly scope?: readonly string[];
}

const HELP = `
Shows an address and a code. Open the address in a browser, on this machine or another, sign in, compare the code and allow the login.
The login is stored in the user's configuration directory (mode 600). lictor exec and lictor whoami use it.
URL: else LICTOR_URL, PREFECT_API_URL, the gateway of the last login, or public_url of lictor.yaml.

Example:
  lictor login https://prefect.example.com
  lictor login --scope prefect:read          rights of yours that it gets: ${CLIENT_SCOPES.join(', ')} (default: all)
`;

export function register(program: Command, context: CliContext): void {
  program
    .command('login')
    .description('log in with your browser, for lictor exec and lictor whoami')
    .argument('[url]', 'the gateway: https://prefect.example.com')
    .option('--scope <scope>', 'a client scope: less than all that you may do; repeatable', collectScope)
    .addHelpText('after', HELP)
    .action((url: string | undefined, options: Options) => atGateway(context, program.opts<GlobalOptions>(), { url }, (at) => login(context, at, options)));
}

function collectScope(text: string, before: readonly string[] = []): readonly string[] {
  if (!isClientScope(text)) throw new UsageError(`--scope ${text}: there is no such client scope. Client scopes: ${CLIENT_SCOPES.join(', ')}.`);
  return [...new Set([...before, text])];
}

async function login(context: CliContext, at: AtGateway, { scope = [] }: Options): Promise<void> {
  const { authorization, address, credentials } = at;
  const begun = await authorization.begin(scope, timeLimit());
  if ('refused' in begun) throw new CommandFailed(`${address} begins no login (${begun.refused}): ${begun.words}`);
  const minutes = Math.round(begun.expiresInMs / 60_000);
  context.out.write(
    `Open this address in a browser, check that it shows the code, and allow the login:\n\n    ${begun.page}\n\n    ${begun.userCode}\n\nWaiting for up to ${minutes} minutes. Ctrl-C gives up.\n`,
  );
  const tokens = await untilAllowed(context, at, begun);
  const me = await authorization.me(tokens.accessToken, timeLimit());
  if ('refused' in me) throw new CommandFailed(`The login was allowed, and ${address} refuses it (${String(me['refused'])}): ${String(me['words'])}`);
  const principal = String(me['principal']);
  const former = await credentials.change(async (stored, write) => {
    write({ current: address, logins: { ...stored.logins, [address]: { ...tokens, principal } } });
    return stored.logins[address];
  });
  // No copy of the former token is left, so it is revoked.
  if (former !== undefined) await authorization.revoke(former.refreshToken, timeLimit()).catch(() => undefined);
  context.out.write(`Logged in at ${address} as ${principal}. lictor exec -- COMMAND uses it; lictor logout ends it.\n`);
}

/** Waits while the gateway restarts. */
async function untilAllowed(context: CliContext, { authorization }: AtGateway, begun: Begun): Promise<Tokens> {
  const until = steadyClock() + begun.expiresInMs;
  let intervalMs = begun.intervalMs;
  let hasReported = false;
  for (;;) {
    await wait(intervalMs);
    if (steadyClock() >= until) throw new CommandFailed('The login was not approved in time. Run lictor login again.');
    const answer = await authorization.poll(begun.deviceCode, timeLimit()).catch((error: unknown) => {
      if (!(error instanceof SourceError) || error.final) throw error;
      if (!hasReported) context.err.write(`lictor: ${error.message} Trying again.\n`);
      hasReported = true;
      return undefined;
    });
    if (answer === undefined) continue;
    if (!('refused' in answer)) return answer;
    intervalMs = nextInterval(answer, intervalMs);
  }
}

/** RFC 8628 3.5. */
function nextInterval({ error, refused, words }: Refused, intervalMs: number): number {
  if (error === 'authorization_pending') return intervalMs;
  if (error === 'slow_down') return intervalMs + 5000;
  throw new CommandFailed(`You are not logged in (${refused}): ${words}`);
}
