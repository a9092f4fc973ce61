// `lictor whoami`: shows the principal that the gateway authenticates for the login of this user.
import type { Command } from 'commander';
import { type AtGateway, atGateway, NOBODY, timeLimit } from './at-gateway.ts';
import type { CliContext, GlobalOptions } from './context.ts';
import { CommandFailed } from './errors.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('whoami')
    .description('show the authenticated principal')
    .argument('[url]', 'the gateway (default: that of the last login)')
    .option('--json', 'one object')
    .addHelpText('after', '\nExample:\n  lictor whoami\n  lictor whoami https://prefect.example.com --json\n')
    .action((url: string | undefined, options: { readonly json?: boolean }) =>
      atGateway(context, program.opts<GlobalOptions>(), { url, unnamed: NOBODY }, (at) => whoami(context, at, options.json === true)),
    );
}

async function whoami(context: CliContext, { address, authorization, source }: AtGateway, json: boolean): Promise<void> {
  const { secret } = await source.obtain(timeLimit());
  const me = await authorization.me(secret, timeLimit());
  if ('refused' in me) throw new CommandFailed(`${address} refuses the login (${String(me['refused'])}): ${String(me['words'])}`);
  if (json) {
    context.out.write(`${JSON.stringify({ gateway: address, ...me })}\n`);
    return;
  }
  const list = (value: unknown): string => (Array.isArray(value) && value.length > 0 ? value.join(', ') : 'none');
  const scopes = Array.isArray(me['scopes']) ? `; scopes: ${list(me['scopes'])}` : '';
  context.out.write(`${String(me['principal'])} at ${address}; roles: ${list(me['roles'])}${scopes}\n`);
}
