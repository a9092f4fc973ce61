// `lictor services purge`: purges the response cache of a service. Works on the store's file, also while the gateway is down.
import type { Command } from 'commander';
import { type AdminSession, completeRemoval, withStore } from './admin.ts';
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

/** Decisions carry the number of purges. So no answer from before the purge is used, not even one that arrives later. */
async function purge(context: CliContext, session: AdminSession, name: string): Promise<void> {
  const { config, store } = session;
  const service = config.services.find((known) => known.name === name);
  if (service === undefined || service.cache.length === 0)
    throw new UsageError(
      `${name}: ${service === undefined ? 'there is no such service' : 'the service has no cache'} (services[].cache of ${session.configFile}).`,
    );
  await store.cacheGenerations.purge(name);
  await completeRemoval(context, session, { action: 'service.purge', resourceType: 'Service', resourceId: name });
  context.out.write(`The cached answers of ${name} are purged.\n`);
}
