// vitest globalSetup of the projects under test/: one real Prefect server for the whole run, and what else is started when a test asks for it.
import type { TestProject } from 'vitest/node';
import { startPrefect } from './prefect-server.ts';
import { serveSharedServers } from './shared-servers.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { stop, url, authString, venv, logFile } = await startPrefect();
  const shared = await serveSharedServers();
  project.provide('prefect', { url, authString, venv, logFile });
  project.provide('sharedServers', shared.url);
  return async () => {
    await shared.stop();
    await stop();
  };
}
