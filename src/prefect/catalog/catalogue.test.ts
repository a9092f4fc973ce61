import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alternativeActions, collectActions, EXTRA_ACTIONS } from './actions.ts';
import { createCatalogue, OPERATIONS, spellings } from './catalogue.ts';
import { family, operationId } from './family.ts';

const catalogue = createCatalogue();
const id = '01234567-89ab-cdef-0123-456789abcdef';

function idOf(method: string, path: string): string | undefined {
  return catalogue.match(method, path)?.operation.operationId;
}

/** A path of the operation: UUIDs where they belong, a name elsewhere. */
function examplePath(path: string, uuids: readonly string[]): string {
  return path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => (uuids.includes(name) ? id : 'some-name')).replace('*', 'some/file.js');
}

describe('the entries', () => {
  it('are 188 operations of 3.9.1, two conditional ones, five sockets, the UI and the docs, each with an id and a route of its own', () => {
    const served = OPERATIONS.filter(({ operationId: name }) => !/^(socket|ui|docs):/.test(name));
    expect(served).toHaveLength(190);
    expect(OPERATIONS.filter(({ taken }) => taken === 'relay')).toHaveLength(5);
    expect(new Set(OPERATIONS.map((operation) => operation.operationId)).size).toBe(OPERATIONS.length);
    // Also once the parameters' names are gone: the edge looks up the collapsed template.
    const collapsed = OPERATIONS.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '*').replace(/\/$/, '')}`);
    expect(new Set(collapsed).size).toBe(OPERATIONS.length);
  });

  it('find themselves by an example path, in both slash spellings', () => {
    for (const operation of OPERATIONS) {
      for (const spelling of spellings(operation)) {
        expect(idOf(operation.method, examplePath(spelling, operation.uuids)), `${operation.method} ${spelling}`).toBe(operation.operationId);
      }
    }
  });

  it('name only parameters that are in their path', () => {
    for (const operation of OPERATIONS) {
      for (const name of [operation.idParam, operation.flowRunParam, operation.taskRunParam, operation.deploymentParam, ...operation.uuids]) {
        if (name !== null) expect(operation.path).toContain(`{${name}}`);
      }
    }
  });

  it('never let a write that people make pass unrecorded: every write is mediated but the machine protocol', () => {
    const direct = OPERATIONS.filter((operation) => operation.writes && operation.taken === 'direct');
    expect(new Set(direct.map(({ group }) => group))).toEqual(new Set(['machine']));
    expect(direct.map(({ action }) => action)).not.toContain('flow_runs.set_state');
    const reads = OPERATIONS.filter((operation) => !operation.writes && operation.taken === 'mediated').map(({ operationId: name }) => name);
    expect(reads.sort()).toEqual([
      'read_block_documents_block_documents_filter_post',
      'read_settings_admin_settings_get',
      'ui:settings',
      'validate_obj_ui_schemas_validate_post',
    ]);
  });

  it('close only what is debug surface', () => {
    expect(OPERATIONS.filter(({ taken }) => taken === 'deny').map(({ path }) => path)).toEqual(['/api/pid']);
  });

  it('write with POST, PUT, PATCH, DELETE, and never with a read or baseline action', () => {
    for (const operation of OPERATIONS.filter(({ taken }) => taken !== 'relay')) {
      const isReading = ['read', 'baseline', 'secrets'].includes(operation.group) || operation.method === 'GET' || operation.method === 'HEAD';
      expect(operation.writes, operation.operationId).toBe(!isReading);
    }
    expect(OPERATIONS.filter(({ method, writes, taken }) => method === 'POST' && !writes && taken !== 'relay')).toHaveLength(51);
  });

  it('are bound to the run, task run or deployment of their path', () => {
    expect(catalogue.match('POST', `/api/flow_runs/${id}/set_state`)?.operation).toMatchObject({ flowRunParam: 'id', objectScoped: true });
    expect(catalogue.match('GET', `/api/flow_runs/${id}/logs/download`)?.operation).toMatchObject({ flowRunParam: 'id', action: 'logs.read' });
    expect(catalogue.match('GET', `/api/ui/task_runs/${id}`)?.operation).toMatchObject({ taskRunParam: 'id', action: 'task_runs.read' });
    expect(catalogue.match('POST', `/api/deployments/${id}/create_flow_run/bulk`)?.operation).toMatchObject({ deploymentParam: 'id' });
    // The id of a state is no run's id; a name is no id.
    expect(catalogue.match('GET', `/api/flow_run_states/${id}`)?.operation).toMatchObject({ flowRunParam: null, idParam: null });
    expect(catalogue.match('GET', '/api/deployments/name/etl/nightly')?.operation).toMatchObject({ deploymentParam: null, idParam: 'deployment_name' });
  });
});

describe('what is no operation', () => {
  it.each([
    ['/api/flows/', { allow: 'POST' }],
    ['/api/flows', { allow: 'POST' }],
    // Prefect's router has `GET /work_pools/{name}` before `POST /work_pools/filter`.
    ['/api/work_pools/filter', { allow: 'GET' }],
    [`/api/flow_runs/${id}`, { allow: 'PATCH' }],
    ['/api/flow_runs/filter', { allow: 'POST' }],
    ['/api/flow_runs/not-a-uuid', 'malformed'],
    [`/api/flow_runs/${id}0/set_state`, 'malformed'],
    ['/api/flow_runs/urn:uuid:1/graph', 'malformed'],
    ['/api/nothing', undefined],
    ['/api', undefined],
    ['/api/flow_runs//x', undefined],
    [`/api/flow_runs/${id}/other`, undefined],
    ['/api/events/in', undefined],
    ['/docs', undefined],
    ['/runs', undefined],
    ['/.lictor/health', undefined],
    ['', undefined],
  ])('%s is of Prefect with %j', (path, expected) => expect(catalogue.mismatch(path)).toEqual(expected));
});

describe('matching', () => {
  it('prefers fixed segments over names', () => {
    expect(idOf('POST', '/api/work_pools/filter')).toBe('read_work_pools_work_pools_filter_post');
    expect(idOf('POST', '/api/artifacts/latest/filter')).toBe('read_latest_artifacts_artifacts_latest_filter_post');
    expect(idOf('GET', '/api/artifacts/latest/latest')).toBe('read_latest_artifact_artifacts__key__latest_get');
    expect(idOf('GET', '/api/work_pools/filter')).toBe('read_work_pool_work_pools__name__get');
  });

  it.each([
    ['GET', '/api/nothing'],
    ['GET', '/api'],
    ['GET', '/api/'],
    ['HEAD', '/api/health'],
    ['PUT', '/api/flows/'],
    ['GET', '/api/flows/not-a-uuid'],
    ['GET', `/api/flows/${id}0`],
    ['GET', `/api/flows/${id}/other`],
    ['POST', '/docs'],
    ['GET', '/docs/other'],
    ['POST', '/'],
    ['DELETE', '/v2/'],
    ['OPTIONS', '/api/flows/'],
    ['get', '/api/health'],
    ['GET', '/.lictor/health'],
    ['GET', '/.lictor'],
    ['GET', '/api/__proto__'],
    ['constructor', '/api/health'],
  ])('does not know %s %s', (method, path) => {
    expect(catalogue.match(method, path)).toBeUndefined();
  });

  it.each([
    '',
    'api/health',
    '//api/health',
    '/api//health',
    '/api/health//',
    '/api/./health',
    '/api/x/../health',
    '/api/x/%2e%2e/health',
    '/api/work_pools/%2e',
    '/api/work_pools/a%2Fb',
    '/api/work_pools/a%5Cb',
    '/api/work_pools/a%00',
    '/api/work_pools/%ff',
    '/api/work_pools/%zz',
    '/v2/../api/health',
  ])('does not decide on %s', (path) => {
    expect(catalogue.match('GET', path)).toBeUndefined();
  });

  it('takes everything else outside /api as a file of the UI, for reading', () => {
    for (const path of ['/', '/v2/', '/v2/flow-runs/flow-run/x', '/assets/index.js', '/favicon.ico', '/apis', '/documents']) {
      expect(idOf('GET', path), path).toBe('ui:bundle');
      expect(idOf('HEAD', path), path).toBe('ui:bundle-head');
      expect(idOf('POST', path), path).toBeUndefined();
    }
    // The server decodes once before it looks: this is /api to it, and to us.
    expect(idOf('GET', '/%61pi/health')).toBe('health_check_health_get');
    expect(idOf('GET', '/%61pi/nothing')).toBeUndefined();
    expect(idOf('GET', '/api/static/prefect.png')).toBe('docs:api-static');
    expect(idOf('GET', '/ui-settings')).toBe('ui:settings');
  });

  it('answers names percent-decoded, and UUIDs in one spelling', () => {
    const spelt = ['0123456789ABCDEF0123456789abcdef', id.toUpperCase(), '01234567-89abcdef0123-456789abcdef'];
    for (const spelling of spelt) expect(catalogue.match('GET', `/api/flow_runs/${spelling}`)?.params).toEqual({ id });
    expect(catalogue.match('GET', '/api/deployments/name/my%20flow/na%C3%AFve+one')?.params).toEqual({
      flow_name: 'my flow',
      deployment_name: 'naïve+one',
    });
  });

  it('never throws, and always agrees with params()', () => {
    const piece = fc.oneof(fc.constantFrom('/', 'api', 'flows', 'flow_runs', id, '..', '%2F', '%', 'filter', 'name'), fc.string());
    fc.assert(
      fc.property(fc.constantFrom('GET', 'POST'), fc.array(piece), (method, pieces) => {
        const path = `/${pieces.join('')}`;
        const found = catalogue.match(method, path);
        if (found !== undefined) expect(catalogue.params(found.operation, path)).toEqual(found.params);
      }),
    );
  });
});

describe('params', () => {
  const operation = catalogue.byId('read_flow_run_flow_runs__id__get');
  it('reads the parameters of the operation, not of another path', () => {
    if (operation === undefined) throw new Error('no entry');
    expect(catalogue.params(operation, `/api/flow_runs/${id}/`)).toEqual({ id });
    expect(catalogue.params(operation, `/api/flows/${id}`)).toBeUndefined();
    expect(catalogue.params(operation, `/api/flow_runs/${id}/graph`)).toBeUndefined();
    expect(catalogue.params(operation, '/api/flow_runs/x')).toBeUndefined();
  });

  it('finds no unknown operation', () => {
    expect(catalogue.byId('read_flow')).toBeUndefined();
    expect(catalogue.byId('__proto__')).toBeUndefined();
  });
});

describe('a catalogue that contradicts itself', () => {
  const rows = (name: string, path: '/x/{a:uuid}' | '/x/{b:uuid}', action = 'x.read') =>
    family({ prefix: '/api', resource: 'System', ids: [] }, [[name, `GET ${path}`, action, 'read', 'direct']]);

  it('is refused: an id twice, a route twice, an action in two groups', () => {
    expect(() => createCatalogue([...rows('x', '/x/{a:uuid}'), ...rows('x', '/x/{a:uuid}')])).toThrow('contradicts itself');
    expect(() => createCatalogue([...rows('x', '/x/{a:uuid}'), ...rows('y', '/x/{b:uuid}')])).toThrow('contradicts itself');
    expect(() => collectActions(rows('x', '/x/{a:uuid}', 'flow_runs.cancel'))).toThrow('contradicts itself');
    expect(() => createCatalogue(rows('x', '/x/{a:uuid}'))).not.toThrow();
  });

  it('makes operationIds as FastAPI does', () => {
    expect(operationId('read_flow_run_graph_v2', '/flow_runs/{id:uuid}/graph-v2', 'GET')).toBe('read_flow_run_graph_v2_flow_runs__id__graph_v2_get');
  });
});

describe('actions', () => {
  const actions = collectActions(OPERATIONS);

  it('are listed once, those of bodies and queries too', () => {
    expect(new Set(actions.map(({ name }) => name)).size).toBe(actions.length);
    for (const { name } of EXTRA_ACTIONS) expect(actions.map((action) => action.name)).toContain(name);
  });

  it('say what a body may turn a mediated request into, and are the own action elsewhere', () => {
    const alternatives = (method: string, path: string): readonly string[] => {
      const found = catalogue.match(method, path);
      return found === undefined ? [] : alternativeActions(found.operation);
    };
    expect(alternatives('POST', `/api/flow_runs/${id}/set_state`)).toEqual(['flow_runs.set_state', 'flow_runs.cancel', 'flow_runs.retry', 'flow_runs.pause']);
    expect(alternatives('POST', '/api/block_documents/filter')).toEqual(['blocks.read', 'blocks.read_secrets']);
    expect(alternatives('GET', `/api/block_documents/${id}`)).toEqual(['blocks.read']);
    expect(alternatives('POST', `/api/deployments/${id}/create_flow_run`)).toEqual(['deployments.run']);
  });

  it('that are alternatives are for the same resource type', () => {
    for (const operation of OPERATIONS) {
      for (const name of alternativeActions(operation)) {
        expect(actions.find((action) => action.name === name)?.resources, name).toContain(operation.resource);
      }
    }
  });
});
