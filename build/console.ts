// `npm run console`: writes the console to console/dist, with each text file also compressed. The same sources give the same bytes.
import { globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { REPOSITORY } from '../src/cli/repository.ts';

const ROOT = join(REPOSITORY, 'console');
/** The gateway replaces both in index.html for each answer. */
const BASE = '@BASE@';
const NONCE = '@NONCE@';

/** Replaces `directory` once everything is written. */
export async function buildConsole(directory: string = join(ROOT, 'dist')): Promise<void> {
  const made = `${directory}.new`;
  await build({
    root: ROOT,
    configFile: false,
    envDir: false,
    logLevel: 'warn',
    // Chunks name each other relative to themselves, so that only index.html knows the path of the gateway.
    experimental: { renderBuiltUrl: (file, { hostType }) => (hostType === 'html' ? `${BASE}/${file}` : { relative: true }) },
    html: { cspNonce: NONCE },
    build: {
      outDir: made,
      emptyOutDir: true,
      assetsInlineLimit: 0,
      target: 'es2023',
      modulePreload: { polyfill: false },
      chunkSizeWarningLimit: 1000,
      rolldownOptions: { onLog: logExceptDirectives },
    },
  });
  for (const file of globSync('assets/*.{js,css,svg}', { cwd: made })) compress(join(made, file));
  rmSync(directory, { recursive: true, force: true });
  renameSync(made, directory);
}

/** Libraries mark modules for servers that render React ("use client"). A browser needs no mark. */
const logExceptDirectives: NonNullable<Rolldown.InputOptions['onLog']> = (level, log, next) => {
  if (log.code !== 'MODULE_LEVEL_DIRECTIVE') next(level, log);
};

function compress(file: string): void {
  const bytes = readFileSync(file);
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}

if (import.meta.main) await buildConsole();
