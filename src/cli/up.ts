// `lictor up`: runs the gateway in the foreground.
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { observationsIn } from '../authorization/decide/observation.ts';
import { PRIVATE_UMASK } from '../config/state-dir.ts';
import { backUpOlderState } from '../config/state-version.ts';
import { systemClock } from '../contract/clock.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('up')
    .description('run the gateway in the foreground: SIGHUP reads the configuration again, SIGTERM drains')
    .option('--replace', 'take the place of the running gateway without a refused connection')
    .addHelpText('after', '\nExample:\n  lictor up -c /etc/lictor/lictor.yaml --state-dir /var/lib/lictor\n')
    .action((options: { readonly replace?: true }) => up(context, options.replace === true));
}

/** Reports problems of the configuration before any process starts. The control plane reads the file again. */
async function up(context: CliContext, replace: boolean): Promise<void> {
  process.umask(PRIVATE_UMASK);
  // A SIGHUP before the supervisor handles it would end the process. It needs no reload, because the file is read after this.
  process.on('SIGHUP', () => undefined);
  const { config, paths, configFile } = await context.loadContext({ secrets: 'read' });
  if (config.policies !== null) {
    const { soundPolicies } = await import('./own-policies.ts');
    soundPolicies(config, configFile);
  }
  const { runSupervisor } = await import('../operations/supervise/supervisor.ts');
  context.err.write('lictor: starting ...\n');
  if (config.tls?.selfMadeBy != null)
    context.err.write(`lictor: its certificate is self-made: clients need PREFECT_API_SSL_CERT_FILE=${config.tls.selfMadeBy} (or a copy of that file).\n`);
  if (observationsIn(config).length > 0)
    context.err.write(`lictor: observe mode in ${configFile}: Lictor records what the policies deny, and forwards it (lictor doctor says until when).\n`);
  const log = (line: string): void => void context.err.write(`${line}\n`);
  const status = await runSupervisor({
    paths,
    configFile,
    replace,
    prepare: () => backUpOlderState({ paths, storeAt: config.storeAt, now: systemClock, log }),
    controlEntry: fileURLToPath(new URL('../app/control-plane.ts', import.meta.url)),
    onUp: () => log(`lictor: ${config.publicUrl.origin}${config.publicUrl.basePath}, in front of ${config.prefect.servers.join(', ')}. Ctrl-C ends it.`),
    log,
  });
  if (status !== 0) throw new CommandFailed('');
}
