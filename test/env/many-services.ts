// What nginx says of a configuration with many services, each with everything that makes variables and maps.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { prepareStateDir, removeRuntimeDir } from '../../src/config/runtime-dir.ts';
import { writeEdge } from '../../src/edge/nginx/apply.ts';
import { renderHere } from '../../src/edge/nginx/check.ts';
import { nginxArgs } from '../../src/edge/nginx/version.ts';
import { run } from './process.ts';

/** The lines of `nginx -t`; throws unless it takes the configuration. */
export async function testManyServices(count: number, env: NodeJS.ProcessEnv): Promise<readonly string[]> {
  const root = mkdtempSync(join(tmpdir(), 'lictor-many-services-'));
  const paths = prepareStateDir(join(root, 'state'));
  try {
    const file = join(root, 'lictor.yaml');
    writeFileSync(file, stringify(configOf(root, count)));
    const loaded = loadConfig(file, env, { stateDir: paths.root, secrets: 'read' });
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const { files, version } = await renderHere(loaded.config, paths, env);
    const args = [...nginxArgs(version, paths.edge, join(writeEdge(files, paths.edge), 'nginx.conf'), paths.edgeErrorLog), '-t'];
    const { code, output } = await run({ name: 'nginx -t', command: version.binary, args, env, timeoutMs: 120_000 });
    if (code !== 0) throw new Error(output);
    return output.trim().split('\n');
  } finally {
    removeRuntimeDir(paths);
    rmSync(root, { recursive: true, force: true });
  }
}

function configOf(root: string, count: number): object {
  const key = join(root, 'key');
  writeFileSync(key, 'a-key-of-a-service\n', { mode: 0o600 });
  return {
    public_url: 'http://localhost:4280',
    prefect: { url: 'http://127.0.0.1:4200' },
    identity_providers: [{ id: 'local', type: 'accounts' }],
    services: Array.from({ length: count }, (_none, place) => ({
      // Hashes depend on the names: long and short ones.
      name: `service-${place}${'-more'.repeat(place % 10)}`,
      servers: [`http://10.1.0.${(place % 250) + 1}:8080`, `http://10.2.0.${(place % 250) + 1}:8080`],
      allow: [{ methods: ['GET', 'POST'], paths: ['/v1/*', `/v1/things/*/part-${place}`] }],
      limit: { rate: '10/s' },
      health: { path: '/health' },
      retries: { attempts: 3, budget: '10%' },
      cache: [{ paths: ['/v1/rates*'], ttl: '60s', stale_if_error: '10m' }],
      inject: { header: { name: 'X-Key', value_file: key } },
    })),
  };
}
