// The catalogue against a Prefect that really runs: a newer Prefect with a new, changed or vanished route fails here.
import { describe, expect, it } from 'vitest';
import { createCatalogue, OPERATIONS } from '../../src/prefect/catalog/catalogue.ts';
import { compareWithOpenApi } from '../../src/prefect/catalog/compare.ts';
import { directTo, field, sharedPrefect } from '../env/prefect.ts';

describe('the action catalogue against the running Prefect', () => {
  it('has an entry for every operation of its OpenAPI document, with the same method, path and ids, and none that is gone', async () => {
    const document = await directTo(sharedPrefect()).get('/openapi.json');
    expect(compareWithOpenApi(OPERATIONS, document)).toEqual([]);
  });

  it('notices an operation that is missing in the catalogue, and one that Prefect no longer has', async () => {
    const document = await directTo(sharedPrefect()).get('/openapi.json');
    const [first, second] = OPERATIONS.filter(({ operationId }) => /^(read_flow_flows|delete_flow_flows)__id_/.test(operationId));
    if (first === undefined || second === undefined) throw new Error('the two operations of this test are gone');
    const others = OPERATIONS.filter((operation) => operation !== first && operation !== second);
    expect(compareWithOpenApi(others, document).map(({ kind }) => kind)).toEqual(['new', 'new']);
    expect(compareWithOpenApi([...OPERATIONS, { ...first, operationId: 'read_nothing_get' }], document).map(({ kind }) => kind)).toEqual(['gone']);
    expect(compareWithOpenApi([...others, first, { ...second, method: 'PUT' }], document).map(({ kind }) => kind)).toEqual(['changed']);
  });

  it('finds the entry of every path that the document lists, in both slash spellings', async () => {
    const paths = Object.entries(Object(field(await directTo(sharedPrefect()).get('/openapi.json'), 'paths')));
    const catalogue = createCatalogue();
    const missed = paths.flatMap(([template, item]) => {
      const path = `/api${template.replaceAll('{countable}', 'day').replaceAll(/\{\w+\}/g, '01234567-89AB-cdef-0123-456789abcdef')}`;
      const bare = path.replace(/\/$/, '');
      return Object.entries(Object(item)).filter(([method, operation]) =>
        [bare, `${bare}/`].some((spelling) => catalogue.match(method.toUpperCase(), spelling)?.operation.operationId !== field(operation, 'operationId')),
      );
    });
    expect(missed).toEqual([]);
  });

  it('matches what Prefect routes: 32 hex digits and upper case reach a flow run, a trailing slash is a redirect', async () => {
    const { url, authString } = sharedPrefect();
    const headers = { authorization: `Basic ${Buffer.from(authString).toString('base64')}` };
    const status = async (path: string): Promise<number> => (await fetch(`${url}${path}`, { headers, redirect: 'manual' })).status;
    for (const id of ['0123456789abcdef0123456789abcdef', '01234567-89AB-CDEF-0123-456789ABCDEF']) {
      const response = await fetch(`${url}/api/flow_runs/${id}`, { headers });
      expect(await response.text()).toContain('Flow run not found');
    }
    expect(await status('/api/flow_runs/01234567-89ab-cdef-0123-456789abcdef/')).toBe(307);
    expect(await status('/api/flow_run_states')).toBe(307);
  });
});
