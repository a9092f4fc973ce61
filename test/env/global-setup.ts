// vitest globalSetup of the projects under test/: one real Prefect server for the whole run, and what else is started when a test asks for it.
import type { TestProject } from 'vitest/node';
import { serveCommands } from './commands/server.ts';
import { startPrefect } from './prefect-server.ts';
import { serveSharedServers } from './shared-servers.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = await serveSharedServers();
  const { stop, url, authString, venv, logFile } = await startPrefect({ sharedServers: shared.url });
  project.provide('prefect', { url, authString, venv, logFile });
  project.provide('sharedServers', shared.url);
  const commands = process.env['LICTOR_TEST_OWN_COMMANDS'] === '1' ? null : await serveCommands();
  project.provide('commands', commands?.url ?? null);
  return async () => {
    commands?.stop();
    await stop();
    await shared.stop();
  };
}
