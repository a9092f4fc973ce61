// The rendered nginx configuration, read by gixy: known holes of nginx configurations.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY, toolCacheDir } from '../../src/cli/repository.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { ensureVenv } from '../../src/cli/venv.ts';
import { loadConfig } from '../../src/config/load.ts';
import { prepareStateDir, removeRuntimeDir } from '../../src/config/runtime-dir.ts';
import { writeEdge } from '../../src/edge/nginx/apply.ts';
import { renderHere } from '../../src/edge/nginx/check.ts';
import { edgeServices } from '../env/edge-forms.ts';
import { failed, PASSED, type Suite } from './suite.ts';

const GIXY = 'gixy-ng==0.2.59';

/**
 * Checks that say no to what is meant. add_header_redefinition: every location repeats what it needs.
 * try_files_is_evil_too: wants open_file_cache, which would serve a swept decision; `/.never` is never there.
 * missing_resolver: the one variable in a proxy_pass is a path; the host before it is an upstream of ours.
 */
const SKIPPED = 'add_header_redefinition,try_files_is_evil_too,missing_resolver';

export const EDGE_SCAN: Suite = {
  name: 'edge',
  summary: 'holes in the rendered nginx configuration (gixy)',
  async run({ out, env }) {
    const cacheDir = toolCacheDir(env);
    const onProgress = (line: string) => out.write(`  ${line}\n`);
    const bin = await ensureVenv({ directory: join(cacheDir, 'gixy-0.2.59'), requirements: [GIXY], cacheDir, env, onProgress });
    const stateDir = mkdtempSync(join(tmpdir(), 'lictor-edge-'));
    const paths = prepareStateDir(stateDir);
    try {
      const loaded = loadConfig(join(REPOSITORY, 'lictor.yaml'), {}, { stateDir });
      if (!loaded.ok) throw new Error('lictor.yaml has problems: lictor check');
      // A service with a CA file would need that file.
      const services = edgeServices({ certFile: '', keyFile: '', caFile: '' }).filter(({ caFile }) => caFile === null);
      for (const basePath of ['', '/prefect']) {
        const config = { ...loaded.config, services, publicUrl: { ...loaded.config.publicUrl, basePath } };
        const { files } = await renderHere(config, paths, { ...env });
        const readable = new Map([...files].map(([name, text]) => [name, withoutPossessive(text)]));
        const conf = join(writeEdge(readable, paths.edge), 'nginx.conf');
        const { status, output } = await runCommand({ command: join(bin, 'gixy'), args: ['--skips', SKIPPED, conf], env });
        if (status === 0) continue;
        out.write(output);
        return failed('edge: gixy, see above');
      }
      return PASSED;
    } finally {
      removeRuntimeDir(paths);
      rmSync(stateDir, { recursive: true, force: true });
    }
  },
};

/** gixy's regex parser does not know possessive quantifiers (`++`, `*+`); without them a regex matches the same texts. */
function withoutPossessive(text: string): string {
  return text.replaceAll(/([)\]}])([+*?])\+/g, '$1$2');
}
