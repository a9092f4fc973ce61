// The files of the built console: a closed list, read once at the first request.
import { globSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `npm run console` writes it. A package contains it. */
const BUILT = fileURLToPath(new URL('../../../console/dist/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** In the order of preference: the encoding, and the ending of its file. */
const ENCODINGS = [
  ['br', '.br'],
  ['gzip', '.gz'],
] as const;

export interface ConsoleFile {
  readonly type: string;
  readonly bytes: Buffer;
  /** By the name in `Accept-Encoding`, the preferred one first. */
  readonly encoded: ReadonlyMap<string, Buffer>;
}

export interface ConsoleFiles {
  /** With placeholders for the base path and the nonce. */
  readonly page: string;
  /** By name, which contains a hash of the content. */
  readonly assets: ReadonlyMap<string, ConsoleFile>;
}

/** Reads the directory until it is there, and never again. Undefined: the console is not built. */
export function consoleFiles(directory: string = BUILT): () => ConsoleFiles | undefined {
  let files: ConsoleFiles | undefined;
  return () => {
    files ??= readFiles(directory);
    return files;
  };
}

function readFiles(directory: string): ConsoleFiles | undefined {
  const assets = join(directory, 'assets');
  const names = globSync('*', { cwd: assets });
  if (!globSync('index.html', { cwd: directory }).length) return undefined;
  const read = (name: string): Buffer => readFileSync(join(assets, name));
  return {
    page: readFileSync(join(directory, 'index.html'), 'utf8'),
    assets: new Map(
      names.flatMap((name) => {
        const type = TYPES[extname(name)];
        if (type === undefined) return [];
        const encoded = ENCODINGS.flatMap(([encoding, ending]) => (names.includes(name + ending) ? [[encoding, read(name + ending)] as const] : []));
        return [[name, { type, bytes: read(name), encoded: new Map(encoded) }]];
      }),
    ),
  };
}
