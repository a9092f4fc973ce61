// What `npm run build` writes: whole without the checkout, and never without a file that the program reads.
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REPOSITORY } from '../src/cli/repository.ts';
import { build } from './build.ts';
import { filesBeside } from './files-beside.ts';

const run = promisify(execFile);

let directory: string;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'lictor-build-'));
  const program = process.env['LICTOR_TEST_PROGRAM'];
  // `./lictor test` has built it.
  if (program === undefined) await build(join(directory, 'dist'));
  else cpSync(dirname(program), join(directory, 'dist'), { recursive: true });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What Node prints where there is no checkout above the program. */
async function node(...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, args, { cwd: directory, env: { PATH: process.env['PATH'] } }).catch((error) => error);
  return `${stdout}${stderr}`;
}

describe('the built program', () => {
  const filesOf = (folder: string, ending: string) => readdirSync(folder).filter((name) => name.endsWith(ending));

  it('knows its version', async () => {
    expect(await node('dist/main.js', '--version')).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('finds Cedar and the built-in policies', async () => {
    writeFileSync(join(directory, 'own.cedar'), '@id("viewer") permit (principal, action, resource);');
    writeFileSync(
      join(directory, 'lictor.yaml'),
      "public_url: http://localhost:8200\nprefect: { url: 'http://127.0.0.1:4200' }\nidentity_providers: [{ id: local, type: accounts }]\npolicies: .\n",
    );
    expect(await node('dist/main.js', 'check')).toContain('@id("viewer")');
  });

  it.each([
    ['nginx', '.conf'],
    ['src/authorization/policy/roles', '.cedar'],
    ['demo', '.py'],
    ['bench', '.lua'],
  ])('has all files of %s', (folder, ending) => {
    const files = filesOf(join(directory, 'dist', folder), ending);
    expect(files).not.toEqual([]);
    expect(files).toEqual(filesOf(join(REPOSITORY, folder), ending));
  });

  it('starts the control plane, which reads the configuration', async () => {
    await node('dist/app-control-plane.js', '--config', 'none.yaml', '--state-dir', 'state');
    expect(readFileSync(join(directory, 'state/log/control.log'), 'utf8')).toContain('the file cannot be read');
  });

  // Each says so after everything that it needs was loaded.
  it.each([
    ['authorization-policy-own-check-thread', "'workerData' as it is null"],
    ['edge-http-service-proxy-thread', 'The service proxy is a worker thread only.'],
    ['record-ledger-search-thread', 'The ledger is searched by a worker thread only.'],
    ['record-ledger-worker', 'The ledger worker runs as a worker thread only.'],
    ['record-timeline-pages-thread', 'Timelines are read by a worker thread only.'],
    ['record-metrics-worker', 'Metrics are read by a worker thread only.'],
    ['record-sinks-spans-worker', 'Spans are made by a worker thread only.'],
    ['record-sinks-worker', 'Records are sent by a worker thread only.'],
  ])('starts the thread %s', async (name, says) => {
    expect(await node(`dist/${name}.js`)).toContain(says);
  });

  it('starts the thread that scans bodies', async () => {
    expect(await node('dist/contract-json-scan-thread.js')).toBe('');
  });

  it('shows the line of the source where an error was thrown', async () => {
    expect(await node('--enable-source-maps', 'dist/record-ledger-worker.js')).toMatch(/src\/record\/ledger\/worker\.ts:\d+/);
  });

  it('names the checkout to someone who wants the tests', async () => {
    expect(await node('dist/main.js', 'test')).toContain('./lictor test');
  });
});

describe('a build', () => {
  const buildOf = async (code: string): Promise<unknown> => {
    const file = join(directory, 'code.ts');
    writeFileSync(file, code);
    const bundle = await rolldown({ input: file, plugins: [filesBeside(join(directory, 'other'))] });
    return bundle.generate().finally(() => bundle.close());
  };

  it.each(['./nothing.ts', './nothing.conf', './nothing/'])('fails when %s is missing', async (path) => {
    await expect(buildOf(`console.log(new URL('${path}', import.meta.url));`)).rejects.toThrow(`reads ${path}, and there is no such file`);
  });

  it.each(['import.meta.dirname', 'import.meta.filename', 'new URL(name, import.meta.url)', 'import.meta.url'])(
    'fails for a file that is found by %s',
    async (place) => {
      await expect(buildOf(`const name = './x'; console.log(name, ${place});`)).rejects.toThrow("as new URL('./FILE', import.meta.url) only");
    },
  );
});
