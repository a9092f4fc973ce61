// Runs the searches of the ledger of every page, and the commands in docs/how-to/audit.md, verify-ledger.md, exports.md, metrics.md and traces.md.
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../../test/env/certificate.ts';
import { docsBlock, docsBlocks } from '../../test/env/docs.ts';
import { loadConfig } from '../config/load.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { SMALLEST } from '../config/test-file.ts';
import { writeRecords } from '../record/ledger/chain/chain.fixture.ts';
import { tempState } from '../record/ledger/lines.fixture.ts';
import { main } from './main.ts';
import { REPOSITORY } from './repository.ts';

let paths: StatePaths;
let remove: () => void;
beforeEach(() => {
  ({ paths, remove } = tempState());
  writeRecords(paths, 20);
  writeFileSync(join(paths.root, 'lictor.yaml'), SMALLEST);
});
afterEach(() => remove());

const words = (line: string): readonly string[] => [...line.replace(/\s#.*$/, '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');

/** Status and errors of a command line of a page, in the state of this test. */
async function typed(line: string): Promise<readonly [number, string]> {
  const [out, err] = [new PassThrough().resume(), new PassThrough()];
  const [, ...args] = words(line.replace(/ \| jq .*/, '').replace(/ > \S+/, ''));
  const status = await main({ args: ['--state-dir', paths.root, ...args], out, err, env: {}, cwd: paths.root });
  return [status, err.read()?.toString() ?? ''];
}

describe('docs/how-to/audit.md', () => {
  const blocks = ['lictor audit --flow-run', 'lictor audit --action token.create'].map((beginning) => docsBlock('how-to/audit.md', beginning).trim());
  const lines = blocks.join('\n').split('\n');

  it.each(lines.filter((line) => !line.includes('--follow')))('%s', async (line) => {
    expect(await typed(line)).toEqual([0, expect.stringMatching(/^(?:(?:No record fits|Flow run \S+ has no record)\.\n)?$/)]);
  });
});

it('every other search of the ledger that a page shows is one', async () => {
  const pages = globSync('docs/**/*.md', { cwd: REPOSITORY }).map((page) => page.slice('docs/'.length));
  const found = pages.flatMap(docsBlocks).flatMap((block) => block.match(/^(?:\.\/)?lictor audit --(?!.*(?:--follow|\$|FLOW_RUN)).*$/gm) ?? []);
  expect(found.length).toBeGreaterThan(15);
  for (const line of new Set(found))
    expect([line, ...(await typed(line.replace(/-c \S+/, '')))]).toEqual([
      line,
      0,
      expect.stringMatching(/^(?:(?:No record fits|(?:Flow run )?\S+ has no record)\.\n)?$/),
    ]);
});

it('docs/how-to/verify-ledger.md proves the ledger, and an export of it', async () => {
  const page = 'how-to/verify-ledger.md';
  const beginnings = [
    'lictor audit verify\n',
    'lictor audit head -o',
    'lictor audit export -o',
    'lictor audit verify ledger.ndjson',
    'lictor audit export --events',
  ];
  const [head, ledger] = [join(paths.root, 'head.json'), join(paths.root, 'ledger.ndjson')];
  const here = (block: string): string =>
    block.replaceAll(/(?:\/mnt\/elsewhere\/)?head-(?:\$\(date \+%F\)|[\d-]+)\.json/g, head).replaceAll('ledger.ndjson', ledger);
  const lines = beginnings.flatMap((beginning) => here(docsBlock(page, beginning)).trim().split('\n'));
  expect(lines).toHaveLength(7);
  for (const line of lines) expect([line, ...(await typed(line))]).toEqual([line, 0, expect.any(String)]);
  writeFileSync(ledger, readFileSync(ledger, 'utf8').replace('alice@local', 'bob@local'));
  expect(await typed(`lictor audit verify ${ledger} --key ${head}`)).toEqual([1, expect.any(String)]);
});

describe('the configuration of', () => {
  it.each([
    ['how-to/exports.md', 'ledger:', 4],
    ['how-to/metrics.md', 'metrics:', 0],
    ['how-to/traces.md', 'traces:', 0],
  ])('docs/%s (%s) is accepted', async (page, beginning, sinks) => {
    const authority = readFileSync((await selfSigned(paths.root)).cert, 'utf8');
    const files = { 'collector-headers': 'Authorization: Bearer abc\n', 'hook-secret': 'a-long-random-secret\n', 'syslog-ca.pem': authority };
    const etc = join(paths.root, 'etc');
    mkdirSync(etc);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(etc, name), content, { mode: 0o600 });
    const text = docsBlock(page, beginning).replaceAll('/etc/lictor', etc);
    const file = join(paths.root, 'lictor.yaml');
    writeFileSync(file, `${SMALLEST}${text}`);
    const loaded = loadConfig(file, {}, { stateDir: paths.root });
    expect(loaded).toMatchObject({ ok: true });
    expect(loaded.ok && loaded.config.exports.length).toBe(sinks);
  });
});
