// `lictor services purge`: throws away what is kept of a service's answers. Works on the store's file, also while the gateway is down.
import type { Command } from 'commander';
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

/** Decisions carry the number of purges: no answer from before is used after that, also one that is on its way. */
async function purge(context: CliContext, session: AdminSession, name: string): Promise<void> {
  const { config, store } = session;
  const service = config.services.find((known) => known.name === name);
  if (service === undefined || service.cache.length === 0)
    throw new UsageError(
      `${name}: ${service === undefined ? 'there is no such service' : 'the service has no cache'} (services[].cache of ${session.configFile}).`,
    );
  await store.cacheGenerations.purge(name);
  try {
    await makeItHold(context, session);
  } finally {
    recordAfter(context, session, { action: 'service.purge', resourceType: 'Service', resourceId: name });
  }
  context.out.write(`What was kept of ${name} is thrown away.\n`);
}
