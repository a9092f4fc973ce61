// vitest globalSetup of the projects under test/: one real Prefect server for the whole run.
import type { TestProject } from 'vitest/node';
import { startPrefect } from './prefect-server.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { stop, ...address } = await startPrefect();
  project.provide('prefect', address);
  return stop;
}
