// `lictor logout`: ends this user's login at the gateway, and deletes it here.
import type { Command } from 'commander';
import { type AtGateway, atGateway, NOBODY, timeLimit } from './at-gateway.ts';
import type { CliContext, GlobalOptions } from './context.ts';
import { CommandFailed } from './errors.ts';
import { SourceError } from './sidecar/credential.ts';
import { without } from './sidecar/sources/login.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('logout')
    .description('revoke the login of lictor login: closes its open sockets and removes it here')
    .argument('[url]', 'the gateway (default: that of the last login)')
    .addHelpText('after', '\nExample:\n  lictor logout\n  lictor logout https://prefect.example.com\n')
    .action((url: string | undefined) => atGateway(context, program.opts<GlobalOptions>(), { url, unnamed: NOBODY }, (at) => logout(context, at)));
}

/** Deletes the tokens here even if the gateway does not answer, so that no copy of them is left. */
async function logout(context: CliContext, { address, authorization, credentials }: AtGateway): Promise<void> {
  const problem = await credentials.change(async (stored, write) => {
    const login = stored.logins[address];
    if (login === undefined) throw new CommandFailed(`You are not logged in at ${address}.`);
    const failed = await authorization.revoke(login.refreshToken, timeLimit()).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof SourceError) return error.message;
        throw error;
      },
    );
    const logins = without(stored.logins, address);
    write({ current: stored.current === address ? (Object.keys(logins)[0] ?? null) : stored.current, logins });
    return failed;
  });
  if (problem !== undefined) throw new CommandFailed(`Removed here, but not at the gateway, where the login stays until it expires: ${problem}`);
  context.out.write(`Logged out at ${address}.\n`);
}
