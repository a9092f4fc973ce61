// What nginx says about a rendered configuration when it tests it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config/config.ts';
import { prepareStateDir, removeRuntimeDir } from '../../src/config/runtime-dir.ts';
import { writeEdge } from '../../src/edge/nginx/apply.ts';
import { renderHere } from '../../src/edge/nginx/check.ts';
import { nginxArgs } from '../../src/edge/nginx/version.ts';
import { freePort } from './free-port.ts';
import { run } from './process.ts';
import { stubConfig } from './stub-edge.ts';

/** Its warnings, empty when it has none; an nginx that refuses the form throws. */
export async function wordsAbout(form: Partial<Config>, environment: NodeJS.ProcessEnv): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'lictor-forms-'));
  const paths = prepareStateDir(join(root, 'state'));
  try {
    const config = { ...stubConfig(await freePort(), { url: 'http://127.0.0.1:4200', authString: 'user:pass' }), ...form };
    const { files, version } = await renderHere(config, paths, environment);
    const conf = join(writeEdge(files, paths.edge), 'nginx.conf');
    const tested = await run({
      name: 'nginx -t',
      command: version.binary,
      args: [...nginxArgs(version, paths.edge, conf, paths.edgeErrorLog), '-t', '-q'],
      env: environment,
    });
    if (tested.code !== 0) throw new Error(tested.output);
    return tested.output;
  } finally {
    removeRuntimeDir(paths);
    rmSync(root, { recursive: true, force: true });
  }
}
