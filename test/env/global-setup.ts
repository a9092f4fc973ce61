// vitest globalSetup of the projects under test/: one real Prefect server for the whole run, and what else is started when a test asks for it.
import type { TestProject } from 'vitest/node';
import { serveCommands } from './commands/server.ts';
import { startPrefect } from './prefect-server.ts';
import { serveSharedServers } from './shared-servers.ts';

/** Projects of one run share them: the first one to begin provides for all. */
export default async function setup({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> {
  const whole = vitest.getRootProject();
  if ('prefect' in whole.getProvidedContext()) return undefined;
  const shared = await serveSharedServers();
  const { stop, url, authString, venv, logFile } = await startPrefect({ sharedServers: shared.url });
  whole.provide('prefect', { url, authString, venv, logFile });
  whole.provide('sharedServers', shared.url);
  const commands = process.env['LICTOR_TEST_OWN_COMMANDS'] === '1' ? null : await serveCommands();
  whole.provide('commands', commands?.url ?? null);
  return async () => {
    commands?.stop();
    await stop();
    await shared.stop();
  };
}
