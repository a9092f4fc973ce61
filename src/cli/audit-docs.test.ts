// Runs the commands in docs/how-to/audit.md, exports.md, metrics.md and traces.md.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../../test/env/certificate.ts';
import { docsBlock } from '../../test/env/docs.ts';
import { loadConfig } from '../config/load.ts';
import type { StatePaths } from '../config/state-dir.ts';
import { writeRecords } from '../record/ledger/chain/chain.fixture.ts';
import { tempState } from '../record/ledger/lines.fixture.ts';
import { main } from './main.ts';

let paths: StatePaths;
let remove: () => void;
beforeEach(() => {
  ({ paths, remove } = tempState());
  writeRecords(paths, 20);
});
afterEach(() => remove());

const words = (line: string): readonly string[] => [...line.replace(/\s#.*$/, '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');

describe('docs/how-to/audit.md', () => {
  const blocks = ['lictor audit --flow-run', 'lictor audit --action token.create'].map((beginning) => docsBlock('how-to/audit.md', beginning).trim());
  const lines = blocks.join('\n').split('\n');

  it.each(lines.filter((line) => !line.includes('--follow')))('%s', async (line) => {
    const [out, err] = [new PassThrough().resume(), new PassThrough()];
    const [, ...args] = words(line.replace(/ \| jq .*/, ''));
    const status = await main({ args: ['--state-dir', paths.root, ...args], out, err, env: {}, cwd: paths.root });
    expect([status, err.read()?.toString() ?? '']).toEqual([0, expect.stringMatching(/^(?:(?:No record fits|Flow run \S+ has no record)\.\n)?$/)]);
  });
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
    writeFileSync(file, `public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:4200" }\n${text}`);
    const loaded = loadConfig(file, {}, { stateDir: paths.root });
    expect(loaded).toMatchObject({ ok: true });
    expect(loaded.ok && loaded.config.exports.length).toBe(sinks);
  });
});
