// What the code finds beside itself, as `new URL('./FILE', import.meta.url)`: programs of threads and processes, and files that it reads.
import { cpSync, existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Plugin, TransformPluginContext } from 'rolldown';
import { REPOSITORY } from '../src/cli/repository.ts';

const BESIDE = /new URL\('(\.[^']*)', import\.meta\.url\)/g;
const OTHER_PLACE = /import\.meta\.(?:url|dirname|filename)/;

/** The command line: the program that the others are found from. */
export const MAIN = join(REPOSITORY, 'src/cli/main.ts');

/** Builds each program into the directory, and copies each file or folder to its place in the repository. All built code is at the top of the directory. */
export function filesBeside(directory: string): Plugin {
  return {
    name: 'files-beside',
    transform: {
      filter: { id: /^(?!.*\/node_modules\/).*\.ts$/ },
      handler(code, id) {
        const built = code.replaceAll(BESIDE, (_, path: string) => {
          const file = resolve(dirname(id), path);
          if (!existsSync(file)) this.error(`${id} reads ${path}, and there is no such file`);
          return `new URL('./${file.endsWith('.ts') ? program(this, file) : copy(directory, file, path)}', import.meta.url)`;
        });
        if (OTHER_PLACE.test(code.replaceAll(BESIDE, ''))) this.error(`${id} may find files as new URL('./FILE', import.meta.url) only`);
        return built === code ? null : { code: built, map: null };
      },
    },
  };
}

/** `app-control-plane.js` for src/app/control-plane.ts, `bench-bare-mcp.js` for a program beside src. */
function program(context: TransformPluginContext, file: string): string {
  if (file === MAIN) return 'main.js';
  const fileName = relative(REPOSITORY, file)
    .replace(/^src\//, '')
    .replaceAll('/', '-')
    .replace(/\.ts$/, '.js');
  context.emitFile({ type: 'chunk', id: file, fileName });
  return fileName;
}

function copy(directory: string, file: string, path: string): string {
  const place = relative(REPOSITORY, file);
  cpSync(file, join(directory, place), { recursive: true });
  return path.endsWith('/') ? `${place}/` : place;
}
