// `lictor services purge`: throws away what is kept of a service's answers. Works on the store's file, also while the gateway is down.
import type { Command } from 'commander';
import { keptDir } from '../config/kept-dir.ts';
import { nginxWorkerUser } from '../config/worker-user.ts';
import { removeKept } from '../decide/remove-kept.ts';
import { tempDirAt } from '../edge/temp-dir.ts';
import { type AdminSession, makeItHold, recordAfter, withStore } from './admin.ts';
import type { CliContext } from './context.ts';
import { UsageError } from './errors.ts';

export function register(program: Command, context: CliContext): void {
  const services = program
    .command('services')
    .description('manage the response cache of services')
    .addHelpText('after', '\nExample:\n  lictor services purge billing\n');
  services
    .command('purge <name>')
    .description('purge the response cache of a service: the next call fetches a fresh answer')
    .addHelpText('after', '\nExample:\n  lictor services purge billing\n')
    .action((name: string) => withStore(context, (session) => purge(context, session, name)));
}

/** The number of purges is in the key of each answer, so that one which is just being fetched is not answered either. Their files go as well. */
async function purge(context: CliContext, session: AdminSession, name: string): Promise<void> {
  const { config, paths, store } = session;
  const service = config.services.find((known) => known.name === name);
  if (service === undefined || service.cache.length === 0)
    throw new UsageError(
      `${name}: ${service === undefined ? 'there is no such service' : 'the service has no cache'} (services[].cache of ${session.configFile}).`,
    );
  await store.keptAnswers.purge(name);
  try {
    await makeItHold(context, session);
    await removeKept(keptDir(tempDirAt(paths, nginxWorkerUser()), name));
  } finally {
    recordAfter(context, session, { action: 'service.purge', resourceType: 'Service', resourceId: name });
  }
  context.out.write(`What was kept of ${name} is thrown away.\n`);
}
