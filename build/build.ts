// `npm run build`: writes the program to dist/. One file for each process and thread, chunks that they share, and the files that they read.
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { REPOSITORY } from '../src/cli/repository.ts';
import { buildConsole } from './console.ts';
import { filesBeside, MAIN } from './files-beside.ts';

export const DIST = join(REPOSITORY, 'dist');

/** Reads its wasm when it is loaded, so it stays a package. */
const CEDAR = '@cedar-policy/cedar-wasm';

/** Replaces `directory`, which needs nothing outside of it but Node. Rejects when a file that the program reads is missing. */
export async function build(directory: string): Promise<void> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await buildConsole();
  const bundle = await rolldown({
    cwd: REPOSITORY,
    platform: 'node',
    // Its paths are for types alone.
    tsconfig: false,
    input: { main: MAIN },
    external: [`${CEDAR}/nodejs`],
    resolve: { alias: { '../../test/runner/run.ts': join(import.meta.dirname, 'no-tests.ts') } },
    plugins: [filesBeside(directory)],
  });
  try {
    await bundle.write({ dir: directory, format: 'esm', sourcemap: true, entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' });
  } finally {
    await bundle.close();
  }
  for (const part of ['package.json', 'nodejs']) {
    const place = join('node_modules', CEDAR, part);
    cpSync(join(REPOSITORY, place), join(directory, place), { recursive: true });
  }
}

if (import.meta.main) await build(DIST);
