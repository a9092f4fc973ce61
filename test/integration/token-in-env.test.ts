// Where a run gets its token into its environment, nothing that authors write displaces it: job variables at random, held against Prefect's own worker.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isObject, type JsonObject, type JsonValue } from '../../src/contract/json/tree.ts';
import { withToken } from '../../src/prefect/client/job-env.ts';
import { run } from '../env/process.ts';
import { prefectVenv } from '../env/venv.ts';

const COUNT = 12_000;
const API_URL = 'https://gate/api';
const REFERENCE = { block_document_id: '11111111-2222-3333-4444-555555555555' };
const home = mkdtempSync(join(tmpdir(), 'lictor-test-token-in-env-'));

const name = fc.constantFrom('PREFECT_API_KEY', 'PREFECT_API_URL', 'prefect_api_auth_string', ' PREFECT_API_KEY', 'PREFECT_API', 'MINE', '$ref', 'env');
const value = fc.constantFrom<JsonValue>(
  ...['x', null, '{{ other }}', '{{ env }}', '{{ prefect.variables.v }}', '{{ prefect.blocks.json.b }}'],
  ...[REFERENCE, { $ref: REFERENCE }, { PREFECT_API_KEY: 'x' }, { A: '1' }],
);
const prefix = fc.constantFrom('env.', 'env[', 'env].', 'e]nv.', 'ENV.', 'env..', '[env].', 'env[$ref].', 'env.A.', 'other.');
const key = fc.tuple(prefix, name, fc.constantFrom('', ']', '.x', '].x')).map((parts) => parts.join(''));
const env = fc.oneof({ weight: 4, arbitrary: fc.dictionary(name, value, { maxKeys: 3 }) }, { weight: 1, arbitrary: value });
const variables = fc
  .tuple(fc.option(env, { nil: undefined }), fc.dictionary(key, value, { maxKeys: 2 }))
  .map(([own, dotted]): JsonObject => ({ ...dotted, ...(own !== undefined && { env: own }) }));
const jobEnv = fc.oneof({ weight: 3, arbitrary: fc.constant<JsonValue>('{{ env }}') }, { weight: 1, arbitrary: env });
const template = fc.tuple(jobEnv, fc.option(env, { nil: null }), value).map(
  ([job, given, other]): JsonObject => ({
    job_configuration: { env: job },
    variables: { properties: { env: { default: given }, other: { default: other } } },
  }),
);

const authors = fc.sample(fc.record({ template, deployment: variables, own: variables }), { numRuns: COUNT, seed: 20261128 });
const injected = authors.flatMap((given) => {
  const own = withToken({ token: 'lcf_x', apiUrl: API_URL, ...given });
  return own === undefined ? [] : [{ ...given, own }];
});
let environments: readonly JsonValue[];

beforeAll(async () => {
  const [given, found] = [join(home, 'given.ndjson'), join(home, 'found.ndjson')];
  writeFileSync(given, injected.map((each) => `${JSON.stringify(each)}\n`).join(''));
  const args = [join(import.meta.dirname, 'token-in-env.py'), given, found];
  const env = { PATH: '/usr/bin:/bin', PREFECT_HOME: join(home, 'prefect') };
  const { code, output } = await run({ name: 'token-in-env', command: join(await prefectVenv(), 'bin', 'python'), args, env, timeoutMs: 240_000 });
  if (code !== 0) throw new Error(output);
  environments = readFileSync(found, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line): JsonValue => JSON.parse(line));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const OURS = { PREFECT_API_AUTH_STRING: 'run:lcf_x', PREFECT_CLIENT_CUSTOM_HEADERS: '{"X-Lictor-Token":"lcf_x"}' };
const SETTINGS = [...Object.keys(OURS), 'PREFECT_API_KEY', 'PREFECT_API', 'PREFECT_CLIENT', 'PREFECT_API_URL'];

/** As settings are read: without regard to case and blanks. */
function isOurs(environment: JsonObject): boolean {
  const settings = Object.entries(environment).map(([named, given]) => [named.trim().toUpperCase(), given] as const);
  const wanted = Object.entries({ ...OURS, PREFECT_API_URL: API_URL });
  const foreign = settings.filter(([named, given]) => SETTINGS.includes(named) && !wanted.some(([ours, theirs]) => ours === named && theirs === given));
  return foreign.length === 0 && Object.keys(OURS).every((named) => settings.some(([given]) => given === named));
}

describe('the token in the environment of a run', () => {
  it('is what the run has, whatever authors have written, and nobody else’s settings beside it', () => {
    const begun = injected.flatMap((given, at) => {
      const environment = environments[at];
      return isObject(environment) ? [{ given, environment }] : [];
    });
    expect(begun.length).toBeGreaterThan(1_000);
    expect(begun.filter(({ environment }) => !isOurs(environment)).map((each) => JSON.stringify(each))).toEqual([]);
  });

  it('has no room where authors hide the environment', () => {
    expect(authors.length - injected.length).toBeGreaterThan(1_000);
  });
});
