// `lictor health`: asks the gateway of this machine if it runs, for health checks of containers.
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { loadInUse } from '../config/in-use.ts';
import { statePaths } from '../config/state-dir.ts';
import { jsonField, probe } from '../operations/doctor/outside/http-probe.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';

export function register(program: Command, context: CliContext): void {
  program
    .command('health')
    .description('check that the gateway of this machine runs: exit 0 if it does, also while Prefect is away')
    .addHelpText('after', '\nExample:\n  lictor health -c /etc/lictor/lictor.yaml --state-dir /var/lib/lictor\n')
    .action(() => health(context));
}

async function health(context: CliContext): Promise<void> {
  const root = context.stateDir();
  // Not lictor.yaml: it may be half edited while the gateway runs.
  const loaded = loadInUse({ file: context.configFile(), env: context.env, paths: statePaths(root, root) }, 'skip');
  if (loaded?.ok !== true) throw new CommandFailed(`No gateway has started with the state directory ${root}. Start it: lictor up.`);
  const { url, host } = ownAddress(loaded.config);
  const answer = await probe({ url, headers: { host } });
  if (!answer.ok) throw new CommandFailed(`${url} does not answer: ${answer.error}`);
  if (jsonField(answer.body, 'status') !== 'ok')
    throw new CommandFailed(`${url} answers ${answer.status}: this is not the gateway, or its control plane is down.`);
  context.out.write(`${url} answers.\n`);
}

/** On this machine, whatever public_url leads to. Its name is in the header: Lictor rejects any other. */
function ownAddress({ listen, tls, publicUrl }: Config): { readonly url: string; readonly host: string } {
  const [{ host, port } = { host: '127.0.0.1', port: publicUrl.port }] = listen;
  const address = host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? `[${host === '::' ? '::1' : host}]` : host;
  return { url: `${tls === null ? 'http' : 'https'}://${address}:${port}${publicUrl.basePath}/.lictor/health`, host: new URL(publicUrl.origin).host };
}
