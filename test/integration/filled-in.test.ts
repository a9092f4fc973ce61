// Whatever Prefect's own code makes a variable's value of, `variables.read` is asked for: parameters at random, held against that code.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hydrationAsks, storedAsks, triggerAsks } from '../../src/authorization/mediate/template-references.ts';
import { parseStrict } from '../../src/contract/json/strict-json.ts';
import { field, isObject, type JsonObject, type JsonValue } from '../../src/contract/json/tree.ts';
import { run } from '../env/process.ts';
import { prefectVenv } from '../env/venv.ts';

const COUNT = 10_000;
const home = mkdtempSync(join(tmpdir(), 'lictor-test-filled-in-'));
let found: readonly JsonObject[];

beforeAll(async () => {
  const file = join(home, 'found.ndjson');
  const python = join(await prefectVenv(), 'bin', 'python');
  const env = { PATH: '/usr/bin:/bin', PREFECT_HOME: join(home, 'prefect') };
  const args = [join(import.meta.dirname, 'filled-in.py'), file, String(COUNT)];
  const { code, output } = await run({ name: 'filled-in', command: python, args, env, timeoutMs: 240_000 });
  if (code !== 0) throw new Error(output);
  found = readFileSync(file, 'utf8').trimEnd().split('\n').map(objectOf);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function objectOf(line: string): JsonObject {
  const parsed = parseStrict(Buffer.from(line));
  if (!parsed.ok || !isObject(parsed.tree)) throw new Error('a line is no object');
  return parsed.tree;
}

type Way = (given: JsonValue | undefined) => readonly { readonly action: string; readonly resource: { readonly id: string | null } }[];
const WAYS: readonly (readonly [what: string, way: Way])[] = [
  ['by_hand', hydrationAsks],
  ['by_automation', (given) => [...hydrationAsks(given), ...triggerAsks(given)]],
];

describe.each(WAYS)('what is given %s', (what, way) => {
  const asksFor = (each: JsonObject): boolean =>
    [...way(field(each, 'given')), ...storedAsks(field(each, 'mine'))].some(
      ({ action, resource }) => action === 'variables.read' && (resource.id === null || resource.id === 'secret'),
    );

  it('gives no variable away that is not asked for', () => {
    const giving = found.filter((each) => field(each, what) === true);
    expect(giving.length).toBeGreaterThan(200);
    expect(giving.filter((each) => !asksFor(each)).map((each) => JSON.stringify(each))).toEqual([]);
  });

  it('asks for nothing where there is nothing', () => {
    const plain = found.filter((each) => field(each, what) === false && !asksFor(each));
    expect(plain.length).toBeGreaterThan(200);
  });
});
