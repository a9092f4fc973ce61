import { describe, expect, it } from 'vitest';
import { hidesEnv, reservedInTemplate, reservedNames, withToken } from './job-env.ts';

const TEMPLATE = { job_configuration: { env: '{{ env }}' }, variables: { properties: { env: { type: 'object' } } } };
const GIVEN = { token: 'lcf_x', apiUrl: 'https://gate/api', own: {}, deployment: undefined, template: TEMPLATE };
const OURS = { PREFECT_CLIENT_CUSTOM_HEADERS: '{"X-Lictor-Token":"lcf_x"}', PREFECT_API_AUTH_STRING: 'run:lcf_x', PREFECT_API_KEY: null };

const BLOCK = { block_document_id: '11111111-2222-3333-4444-555555555555' };

describe('what authors may not write', () => {
  it('is found nested, dotted, below a dot, in any case, with spaces, and as settings in JSON', () => {
    for (const variables of [
      { env: { PREFECT_API_KEY: 'x' } },
      { env: { prefect_api_key: 'x' } },
      { env: { ' PREFECT_API_KEY ': 'x' } },
      { 'env.PREFECT_API_KEY': 'x' },
      { 'ENV.PREFECT_API_KEY': 'x' },
      { 'env.PREFECT_API_KEY.deeper': 'x' },
      { env: { PREFECT_API: '{"key": "x"}' } },
      { env: { PREFECT_CLIENT: '{}' } },
      { env: [{ name: 'PREFECT_API_URL', value: 'x' }] },
    ])
      expect(reservedNames(variables), JSON.stringify(variables)).toHaveLength(1);
  });

  it('is not found in other variables', () => {
    for (const variables of [
      {},
      undefined,
      'x',
      { env: { PREFECT_LOGGING_LEVEL: 'DEBUG', MINE: 'x' } },
      { 'env.MINE': 'PREFECT_API_KEY' },
      { command: 'PREFECT_API_KEY=x' },
    ])
      expect(reservedNames(variables), JSON.stringify(variables)).toEqual([]);
  });

  it('is found in a template: its own environment, and the default of its variable', () => {
    expect(reservedInTemplate({ ...TEMPLATE, job_configuration: { env: { PREFECT_API_URL: 'x' } } })).toEqual(['PREFECT_API_URL']);
    expect(reservedInTemplate({ ...TEMPLATE, variables: { properties: { env: { default: { PREFECT_API_KEY: 'x' } } } } })).toEqual(['PREFECT_API_KEY']);
    expect(reservedInTemplate(TEMPLATE)).toEqual([]);
  });

  it('is found where brackets make the path, as a worker reads them', () => {
    for (const key of ['env].PREFECT_API_URL', 'e]nv.PREFECT_API_URL', 'env[PREFECT_API_URL].x', 'env[PREFECT_API_URL]']) {
      expect([key, reservedNames({ [key]: 'x' })]).toEqual([key, ['PREFECT_API_URL']]);
    }
    expect(reservedNames({ 'env[MINE].x': 'x', 'other[PREFECT_API_URL].x': 'x' })).toEqual([]);
    expect(hidesEnv({ 'env[$ref].block_document_id': 'b' })).toBe(true);
    expect(hidesEnv({ 'env[ref].block_document_id': 'b' })).toBe(false);
  });

  it('a template in place of env hides what is in it', () => {
    expect(hidesEnv({ env: '{{ prefect.variables.env }}' })).toBe(true);
    expect(hidesEnv({ env: {} })).toBe(false);
    expect(hidesEnv({ env: null })).toBe(false);
  });

  it('so does a reference to a block, whose data take its place', () => {
    for (const hidden of [{ env: { A: 'x', $ref: BLOCK } }, { 'env.$ref': BLOCK }, { 'env.$ref.block_document_id': 'b' }]) {
      expect([hidden, hidesEnv(hidden)]).toEqual([hidden, true]);
    }
    for (const plain of [{ env: { A: { $ref: BLOCK } } }, { $ref: BLOCK }, { 'env.A': '$ref' }]) expect([plain, hidesEnv(plain)]).toEqual([plain, false]);
  });
});

describe('the token in the job variables', () => {
  it("is added to the run's own variables", () => {
    expect(withToken({ ...GIVEN, own: { env: { MINE: 'x' }, memory: 4 } })).toEqual({ memory: 4, env: { MINE: 'x', ...OURS } });
  });

  it('is the password in the addresses of proxies, where an author has left its place, and nowhere else', () => {
    const proxy = 'http://run:${LICTOR_RUN_TOKEN}@gate:8201';
    const deployment = { env: { HTTPS_PROXY: proxy, https_proxy: proxy, HTTP_PROXY: proxy, NO_PROXY: 'gate' }, 'env.ALL_PROXY': proxy };
    const own = { env: { HTTP_PROXY: 'http://another:3128', MINE: proxy }, command: proxy };
    const filled = 'http://run:lcf_x@gate:8201';
    expect(withToken({ ...GIVEN, own, deployment })).toEqual({
      command: proxy,
      env: { HTTP_PROXY: 'http://another:3128', MINE: proxy, ...OURS, HTTPS_PROXY: filled, https_proxy: filled, ALL_PROXY: filled },
    });
  });

  it('overrides every spelling, wherever it was written', () => {
    const own = { env: { prefect_client_custom_headers: '{}', PREFECT_API_AUTH_STRING: 'a:b' } };
    const deployment = { 'env.PREFECT_API_AUTH_STRING': 'c:d', env: { PREFECT_API_URL: 'http://elsewhere' } };
    const template = { ...TEMPLATE, job_configuration: { env: { Prefect_Api_Key: 'x' } } };
    expect(withToken({ ...GIVEN, own, deployment, template })).toEqual({
      'env.PREFECT_API_AUTH_STRING': 'run:lcf_x',
      env: { ...OURS, PREFECT_API_URL: 'https://gate/api', prefect_client_custom_headers: null, Prefect_Api_Key: null },
    });
  });

  it('goes where its worker goes, when no author has said otherwise', () => {
    expect(withToken(GIVEN)).toEqual({ env: OURS });
  });

  it('finds no place in a template without env, with another one, or where env is hidden', () => {
    for (const env of [undefined, null, '{{ environment }}', 'x']) {
      expect(withToken({ ...GIVEN, template: { ...TEMPLATE, job_configuration: { env } as never } }), String(env)).toBeUndefined();
    }
    expect(withToken({ ...GIVEN, template: undefined })).toBeUndefined();
    const withDefault = (given: unknown) => withToken({ ...GIVEN, template: { ...TEMPLATE, variables: { properties: { env: { default: given } } } } as never });
    for (const given of ['{{ other }}', ['A=b'], 7]) expect([given, withDefault(given)]).toEqual([given, undefined]);
    for (const given of [null, '', {}, '{{ env }}', { A: 'b' }]) expect([given, withDefault(given)]).toEqual([given, { env: OURS }]);
    expect(withToken({ ...GIVEN, template: { ...TEMPLATE, job_configuration: { env: { $ref: BLOCK } } as never } })).toBeUndefined();
    expect(withToken({ ...GIVEN, template: { ...TEMPLATE, variables: { properties: { env: { default: { $ref: BLOCK } } } } } })).toBeUndefined();
    expect(withToken({ ...GIVEN, deployment: { env: { $ref: BLOCK } } })).toBeUndefined();
    expect(withToken({ ...GIVEN, deployment: { env: '{{ prefect.variables.env }}' } })).toBeUndefined();
    expect(withToken({ ...GIVEN, own: { env: '{{ prefect.variables.env }}' } })).toBeUndefined();
  });
});
