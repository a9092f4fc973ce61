// `lictor exec`: runs a command behind a loopback address that puts a fresh credential on its requests and sockets.
import type { Command } from 'commander';
import { steadyClock, systemClock } from '../contract/clock.ts';
import type { CliContext, GlobalOptions } from './context.ts';
import { CommandFailed, ProgramEnded, UsageError } from './errors.ts';
import { chooseGateway, openTransport } from './gateway-address.ts';
import { runChild } from './run-child.ts';
import { checkGateway } from './sidecar/check.ts';
import { childEnvironment } from './sidecar/child-env.ts';
import { SourceError } from './sidecar/credential.ts';
import { createRefresher } from './sidecar/credential-refresher.ts';
import { type Credentials, openCredentials } from './sidecar/login/credentials.ts';
import { startSidecar } from './sidecar/sidecar.ts';
import { type Choice, chooseSource, SOURCES_HELP } from './sidecar/sources/choose.ts';

interface ExecOptions extends Omit<Choice, 'as'> {
  readonly as?: string;
  readonly url?: string;
}

/** The longest wait for an unavailable identity provider or gateway before the command starts. */
const PATIENCE_MS = 30_000;

const HELP = `
CMD gets PREFECT_API_URL with an address of 127.0.0.1 and a secret of its own; the credential itself never leaves this process. It is
renewed ahead of its end, and CMD never notices. The gateway: --url, else LICTOR_URL, else PREFECT_API_URL, else public_url of lictor.yaml.
HTTPS_PROXY, NO_PROXY and PREFECT_API_SSL_CERT_FILE (or SSL_CERT_FILE) are heeded. Signals are passed on; the exit status is CMD's.

${SOURCES_HELP}

Example:
  lictor exec --url https://prefect.example.com --as token:/run/secrets/lictor -- prefect worker start --pool etl
  lictor exec --as oidc --issuer https://idp.example.com/realms/data --client-id etl --client-secret-file /run/secrets/etl -- python flow.py
`;

export function register(program: Command, context: CliContext): void {
  program
    .command('exec')
    .description('run a command with a fresh credential on every request and socket')
    .argument('<command...>', 'after --: the command and its arguments')
    .option('--as <source>', 'where the credential comes from (default: LICTOR_AS, else login)')
    .option('--url <url>', 'the gateway: https://prefect.example.com')
    .option('--issuer <url>', 'oidc: the provider, as it writes itself in iss')
    .option('--client-id <id>', 'oidc: the client')
    .option('--client-secret-file <file>', 'oidc: its secret, mode 600')
    .option('--scope <scope>', 'oidc: what to ask for')
    .option('--audience <audience>', 'oidc, github, aws-iam: whom the token is for (default: lictor for github, the host of the gateway for aws-iam)')
    .addHelpText('after', HELP)
    .action((command: readonly string[], options: ExecOptions) => exec(context, program.opts<GlobalOptions>(), { command, options }));
}

interface Invocation {
  readonly command: readonly string[];
  readonly options: ExecOptions;
}

async function exec(context: CliContext, global: GlobalOptions, { command, options }: Invocation): Promise<void> {
  const say = (line: string): void => void context.err.write(`lictor exec: ${line}\n`);
  const as = options.as ?? context.env['LICTOR_AS'] ?? 'login';
  const credentials = openCredentials(context.env);
  const remembered = as === 'login' ? rememberedGateway(credentials) : null;
  const gateway = chooseGateway(context, global, { name: '--url', url: options.url, remembered });
  const transport = openTransport(context);
  const chosen = chooseSource({ ...options, as }, { cwd: process.cwd(), env: context.env, transport, clock: systemClock, gateway, credentials });
  if (!chosen.ok) throw new UsageError(`--as ${as.split(':')[0]}: ${chosen.problem}`);
  const refresher = createRefresher({ source: chosen.source, clock: systemClock, steady: steadyClock, say });
  try {
    await refresher.start(PATIENCE_MS).catch((cause: unknown) => {
      throw cause instanceof SourceError ? new CommandFailed(cause.message, cause) : cause;
    });
    const problem = await checkGateway({ gateway, refresher, transport, say, steady: steadyClock, patienceMs: PATIENCE_MS });
    if (problem !== undefined) throw new CommandFailed(problem);
    const sidecar = await startSidecar({ gateway, refresher, transport, say });
    const env = childEnvironment(context.env, { ...sidecar, publicUrl: `${gateway.origin}${gateway.basePath}` });
    const status = await runChild(command, env, say);
    await sidecar.close();
    throw new ProgramEnded(status);
  } finally {
    refresher.stop();
    transport.close();
  }
}

function rememberedGateway(credentials: Credentials): string | null {
  try {
    return credentials.read().current;
  } catch (cause) {
    throw cause instanceof SourceError ? new CommandFailed(cause.message, cause) : cause;
  }
}
