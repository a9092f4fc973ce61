// Blocks, variables, limits, artifacts and the UI's check of forms.
import { describe, expect, it } from 'vitest';
import { forbid, json, outcomeOf, prefectWith, RUN } from './mediator.fixture.ts';

const TYPE = '33333333-3333-4333-8333-333333333333';
const SCHEMA = '44444444-4444-4444-8444-444444444444';
const without = (...policies: string[]) => ({ prefect: prefectWith({}, { status: 201 }), policies: policies.join('\n') });

describe('blocks', () => {
  const CREATE = 'POST /api/block_documents/';
  const ONE = `/api/block_documents/${RUN}`;
  const block = { name: 'b', block_type_id: TYPE, block_schema_id: SCHEMA, data: { url: 'http://10.0.0.1/' } };
  const typed = (slug: string, capabilities: string[] = []) => {
    const type = { id: TYPE, slug };
    const schema = { id: SCHEMA, capabilities, block_type: type };
    const objects = {
      [`GET /api/block_types/${TYPE}`]: type,
      [`GET /api/block_schemas/${SCHEMA}`]: schema,
      [`GET ${ONE}`]: { id: RUN, block_type: type, block_schema: schema },
    };
    return { prefect: prefectWith(objects, { status: 201, body: json({ id: RUN }) }) };
  };

  it.each(['secret', 's3-bucket', 'remote-file-system'])('a %s is for deployers, with its secrets', async (slug) => {
    for (const [method, body] of [['PATCH', { data: { value: 'x' } }] as const, ['DELETE', undefined] as const]) {
      expect((await outcomeOf('deployer', `${method} ${ONE}`, body, typed(slug))).result).toBe(201);
      expect((await outcomeOf('run', `${method} ${ONE}`, body, typed(slug))).result).toBe('policy-default-deny');
    }
    const { gate, result } = await outcomeOf('deployer', CREATE, block, typed(slug));
    expect(result).toBe(201);
    expect(gate.record()).toMatchObject({ action: 'blocks.write', resource_id: RUN });
    for (const role of ['viewer', 'operator', 'worker', 'run']) expect((await outcomeOf(role, CREATE, block, typed(slug))).result).toBe('policy-default-deny');
  });

  it.each(['webhook', 'slack-webhook', 'custom-webhook', 'ms-teams-webhook', 'sendgrid-email', 'twilio-sms'])(
    'AU-01: a %s, whose address the server calls, is for administrators',
    async (slug) => {
      const requests = [
        [CREATE, block],
        [`PATCH ${ONE}`, { data: { url: 'http://169.254.169.254/' } }],
        [`DELETE ${ONE}`, undefined],
      ] as const;
      for (const [route, body] of requests) {
        expect(await outcomeOf('deployer', route, body, typed(slug))).toMatchObject({ result: 'block-called-by-server', arrived: false });
        expect((await outcomeOf('admin', route, body, typed(slug))).result).toBe(201);
      }
    },
  );

  it('what a schema says of itself counts, and so does the schema that a PATCH changes to', async () => {
    expect((await outcomeOf('deployer', CREATE, block, typed('mine', ['notify']))).result).toBe('block-called-by-server');
    const changed = await outcomeOf('deployer', `PATCH /api/block_documents/${SCHEMA}`, { block_schema_id: SCHEMA, data: {} }, typed('webhook'));
    expect(changed.result).toBe('block-called-by-server');
  });

  it('another schema, which may keep less of it secret, reads the block', async () => {
    const of = (schema: string | undefined) => ({
      prefect: prefectWith({ [`GET ${ONE}`]: { id: RUN, block_schema_id: schema }, [`GET /api/block_schemas/${SCHEMA}`]: { id: SCHEMA } }, { status: 201 }),
      policies: forbid('blocks.read_secrets', `BlockDocument::"${RUN}"`),
    });
    for (const before of [TYPE, undefined]) {
      expect(await outcomeOf('deployer', `PATCH ${ONE}`, { block_schema_id: SCHEMA }, of(before))).toMatchObject({ result: 'policy-forbids', arrived: false });
    }
    for (const body of [{ block_schema_id: SCHEMA.toUpperCase() }, { block_schema_id: null, data: { x: 1 } }, { data: { x: 1 } }]) {
      expect((await outcomeOf('deployer', `PATCH ${ONE}`, body, of(SCHEMA))).result).toBe(201);
    }
    const { prefect } = of(TYPE);
    expect((await outcomeOf('deployer', `PATCH ${ONE}`, { block_schema_id: SCHEMA }, { prefect })).result).toBe(201);
  });

  it('AU-01: a reference to another block reads it', async () => {
    const nested = { ...block, data: { credentials: { $ref: { block_document_id: RUN } } } };
    const options = { ...typed('mine'), policies: forbid('blocks.read_secrets', `BlockDocument::"${RUN}"`) };
    expect((await outcomeOf('deployer', CREATE, nested, options)).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', CREATE, block, options)).result).toBe(201);
  });

  it('must say of which kind it is', async () => {
    for (const key of ['block_type_id', 'block_schema_id'] as const) {
      expect((await outcomeOf('admin', CREATE, { ...block, [key]: 'x' }, typed('secret'))).result).toBe('body-invalid');
    }
    expect((await outcomeOf('admin', CREATE, [], typed('secret'))).result).toBe('body-invalid');
    expect((await outcomeOf('admin', `PATCH ${ONE}`, { block_schema_id: 1 }, typed('secret'))).result).toBe('body-invalid');
  });
});

describe('variables', () => {
  it('are decided on by name, the old and the new', async () => {
    const policies = forbid('variables.write', 'Variable::"theirs"');
    const refused: [string, unknown][] = [
      ['POST /api/variables/', { name: 'theirs', value: 1 }],
      ['PATCH /api/variables/name/theirs', { value: 1 }],
      ['PATCH /api/variables/name/theirs', { name: 'mine' }],
      ['PATCH /api/variables/name/mine', { name: 'theirs' }],
      [`PATCH /api/variables/${RUN}`, { name: 'theirs' }],
    ];
    for (const [route, body] of refused)
      expect(await outcomeOf('run', route, body, without(policies))).toMatchObject({ result: 'policy-forbids', arrived: false });
    for (const [route, body] of refused) expect((await outcomeOf('run', route, body)).result).toBe(201);
    expect((await outcomeOf('viewer', 'POST /api/variables/', { name: 'mine', value: 1 })).result).toBe('policy-default-deny');
    for (const body of [[], { name: 1 }]) expect((await outcomeOf('admin', 'POST /api/variables/', body)).result).toBe('body-invalid');
  });

  it('never leave their value in a record', async () => {
    const { gate } = await outcomeOf('deployer', 'POST /api/variables/', { name: 'v', value: 'hunter2' });
    const refusedOne = await outcomeOf('viewer', 'POST /api/variables/', { name: 'v', value: 'hunter2' });
    expect(JSON.stringify([...gate.records.values(), ...refusedOne.gate.records.values()])).not.toContain('hunter2');
    expect(gate.last()).toEqual({ name: 'v', value: 'hunter2' });
  });
});

describe('concurrency limits', () => {
  it('CL-01: slots in use are set by who may reset them', async () => {
    const options = without(forbid('concurrency.reset'));
    const refused: [string, unknown][] = [
      ['POST /api/v2/concurrency_limits/', { name: 'l', limit: 1, active_slots: 1 }],
      ['PATCH /api/v2/concurrency_limits/l', { active_slots: 0.5 }],
      ['PATCH /api/v2/concurrency_limits/l', { denied_slots: 2 }],
      ['POST /api/concurrency_limits/', { tag: 't', concurrency_limit: 1, active_slots: [RUN] }],
    ];
    for (const [route, body] of refused) {
      expect((await outcomeOf('deployer', route, body, options)).result).toBe('policy-forbids');
      expect((await outcomeOf('deployer', route, body)).result).toBe(201);
      expect((await outcomeOf('operator', route, body)).result).toBe('policy-default-deny');
    }
    expect((await outcomeOf('deployer', 'POST /api/v2/concurrency_limits/', { name: 'l', limit: 1, active_slots: 0, denied_slots: 0 }, options)).result).toBe(
      201,
    );
  });

  it('CL-01: are decided on by the old and the new name', async () => {
    const options = without(forbid('concurrency.write', 'ConcurrencyLimit::"theirs"'));
    expect((await outcomeOf('deployer', 'POST /api/v2/concurrency_limits/', { name: 'theirs', limit: 1 }, options)).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', 'PATCH /api/v2/concurrency_limits/mine', { name: 'theirs' }, options)).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', 'PATCH /api/v2/concurrency_limits/theirs', { limit: 0 }, options)).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', 'POST /api/concurrency_limits/', { tag: 'theirs', concurrency_limit: 1 }, options)).result).toBe('policy-forbids');
    expect((await outcomeOf('deployer', 'PATCH /api/v2/concurrency_limits/mine', { limit: 0 }, options)).result).toBe(201);
    expect((await outcomeOf('admin', 'POST /api/v2/concurrency_limits/', { name: 1 })).result).toBe('body-invalid');
  });

  it.each(['deployments/33333333-3333-4333-8333-333333333333/create_flow_run', 'flow_runs/'])(
    "CL-01: %s refuses the scheduler's own idempotency keys",
    async (path) => {
      const body = { flow_id: RUN, state: { type: 'SCHEDULED' } };
      const key = `scheduled ${RUN} 2026-11-25T00:00:00+00:00`;
      for (const role of ['run', 'admin']) {
        expect(await outcomeOf(role, `POST /api/${path}`, { ...body, idempotency_key: key })).toMatchObject({ result: 'body-invalid', arrived: false });
        expect((await outcomeOf(role, `POST /api/${path}`, { ...body, idempotency_key: 'my own' })).result).toBe(201);
      }
    },
  );
});

describe('artifacts', () => {
  it('are deleted by deployers, on the timeline of their run', async () => {
    const route = `DELETE /api/artifacts/${TYPE}`;
    const prefect = prefectWith({ [`GET /api/artifacts/${TYPE}`]: { id: TYPE, flow_run_id: RUN, task_run_id: SCHEMA } }, { status: 204 });
    const { gate, result } = await outcomeOf('deployer', route, undefined, { prefect });
    expect(result).toBe(204);
    expect(gate.record()).toMatchObject({ action: 'artifacts.delete', resource_id: TYPE, flow_run_id: RUN, task_run_id: SCHEMA, run_binding: 'verified' });
    expect((await outcomeOf('run', route, undefined, { prefect })).result).toBe('policy-default-deny');
    expect((await outcomeOf('deployer', route)).gate.record()).toMatchObject({ flow_run_id: null, run_binding: 'none' });
  });
});

describe('POST /ui/schemas/validate', () => {
  const route = 'POST /api/ui/schemas/validate';
  const asking = { schema: { const: 'a' }, values: { x: { __prefect_kind: 'workspace_variable', variable_name: 'secret' } } };

  it('is no oracle for variables that one may not read', async () => {
    expect((await outcomeOf('viewer', route, asking)).result).toBe(201);
    const options = without(forbid('variables.read', 'Variable::"secret"'));
    expect(await outcomeOf('viewer', route, asking, options)).toMatchObject({ result: 'policy-forbids', arrived: false });
    expect((await outcomeOf('viewer', route, { schema: {}, values: { x: { __prefect_kind: 'json', value: '1' } } }, options)).result).toBe(201);
    const nested = { schema: {}, values: { x: { __prefect_kind: 'json', value: { __prefect_kind: 'workspace_variable', variable_name: { a: 1 } } } } };
    expect((await outcomeOf('viewer', route, nested, without(forbid('variables.read')))).result).toBe('policy-forbids');
    expect((await outcomeOf('worker', route, asking)).result).toBe('policy-default-deny');
    expect((await outcomeOf('viewer', route, [])).result).toBe('body-invalid');
  });

  it('makes no server fetch an address, for any principal', async () => {
    for (const role of ['viewer', 'admin']) {
      const remote = { schema: { properties: { x: { $ref: 'http://169.254.169.254/' } } }, values: { x: 1 } };
      expect(await outcomeOf(role, route, remote)).toMatchObject({ result: 'body-invalid', arrived: false });
    }
    const own = { schema: { properties: { x: { $ref: '#/$defs/x' } }, $defs: { x: { type: 'integer' } } }, values: { x: 1, $ref: 'http://example.com/' } };
    expect((await outcomeOf('viewer', route, own)).result).toBe(201);
  });
});
