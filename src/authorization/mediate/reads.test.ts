// The mediated reads: UI settings, server settings, block documents.
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import { codeOf, json, startMediator } from './mediator.fixture.ts';

describe('/ui-settings', () => {
  const settings = { api_url: 'http://127.0.0.1:4200/api', csrf_enabled: false, auth: 'BASIC', flags: [], default_ui: 'v2' };
  const get = { role: 'viewer', method: 'GET', path: '/ui-settings' };

  it("puts the API on this origin and takes Prefect's own login away", async () => {
    const gate = startMediator({ prefect: () => ({ body: json(settings) }) });
    const response = await gate.send(get);
    expect(JSON.parse(response.body.toString())).toEqual({ ...settings, api_url: '/api', auth: null });
    expect(gate.forwarded[0]).toMatchObject({ method: 'GET', path: '/ui-settings', body: null });
    expect(gate.record()).toMatchObject({ action: 'ui.settings', principal: 'token:viewer', status: 200 });
  });

  it('puts the path of the public URL before it', async () => {
    const config = {
      publicUrl: { origin: 'https://gate', basePath: '/prefect' },
      forwardHeaders: [],
      ledger: { failClosed: true },
      startedByTag: false,
      traces: null,
    };
    const gate = startMediator({ prefect: () => ({ body: json(settings) }), parts: { config } });
    expect(JSON.parse((await gate.send(get)).body.toString())).toMatchObject({ api_url: '/prefect/api' });
    // nginx has taken the path off; Prefect serves its UI below the same one, and its API at the root.
    expect(gate.forwarded[0]).toMatchObject({ path: '/prefect/ui-settings' });
    await gate.send({ ...get, path: '/api/admin/settings' });
    expect(gate.forwarded[1]).toMatchObject({ path: '/api/admin/settings' });
  });

  it('is 503 while Prefect is away, and refused without a credential', async () => {
    const gate = startMediator({ prefect: () => new UpstreamError('upstream-unavailable', { forwarded: false }) });
    expect(await gate.send(get)).toMatchObject({ status: 503, headers: { 'prefect-maintenance': 'true' } });
    expect(await gate.send({ ...get, role: 'none' })).toMatchObject({ status: 401 });
  });
});

describe('/admin/settings', () => {
  const settings = {
    home: '/home/prefect/.prefect',
    debug_mode: false,
    api: { url: 'http://10.0.0.1:4200/api', key: null, request_timeout: 60.5 },
    client: { custom_headers: { 'X-Secret': 'abc' }, retry_extra_codes: [429] },
    server: { api: { host: '10.0.0.1', port: 4200, csrf_token_expiration: 'PT1H' }, database: { user: 'prefect', port: 5432 }, logging_level: 'WARNING' },
  };
  const get = { method: 'GET', path: '/api/admin/settings' };
  const prefect = () => ({ body: json(settings) });

  it('is whole for an administrator', async () => {
    const response = await startMediator({ prefect }).send({ ...get, role: 'admin' });
    expect(JSON.parse(response.body.toString())).toEqual(settings);
  });

  it.each(['viewer', 'operator', 'deployer'])('keeps its shape and reveals no address to %s', async (role) => {
    const response = await startMediator({ prefect }).send({ ...get, role });
    expect(JSON.parse(response.body.toString())).toEqual({
      home: 'redacted',
      debug_mode: false,
      api: { url: 'redacted', key: null, request_timeout: 60.5 },
      client: { custom_headers: {}, retry_extra_codes: [] },
      server: {
        api: { host: 'redacted', port: 'redacted', csrf_token_expiration: 'PT1H' },
        database: { user: 'redacted', port: 'redacted' },
        logging_level: 'WARNING',
      },
    });
  });

  it('reveals nothing when it cannot read the answer', async () => {
    const response = await startMediator({ prefect: () => ({ body: Buffer.from('home=/root') }) }).send({ ...get, role: 'viewer' });
    expect(response.body.toString()).toBe('{}');
  });

  it('is refused to a run', async () => {
    expect(codeOf(await startMediator({ prefect }).send({ ...get, role: 'run' }))).toBe('policy-default-deny');
  });
});

describe('block_documents/filter', () => {
  const path = '/api/block_documents/filter';
  const send = (role: string, body: unknown) => startMediator().send({ role, path, body });

  it('is a list for a viewer, and a list of secrets only for who may read them', async () => {
    for (const body of [undefined, {}, { include_secrets: false }, { limit: 5 }]) expect(await send('viewer', body)).toMatchObject({ status: 200 });
    expect(codeOf(await send('viewer', { include_secrets: true }))).toBe('policy-default-deny');
    expect(await send('deployer', { include_secrets: true })).toMatchObject({ status: 200 });
  });

  it('takes a JSON boolean only', async () => {
    for (const value of ['on', 'yes', 1, 'true', {}]) expect(codeOf(await send('admin', { include_secrets: value }))).toBe('body-invalid');
  });

  it('has an intent when secrets are read', async () => {
    const gate = startMediator();
    await gate.send({ role: 'deployer', path, body: { include_secrets: true } });
    expect(gate.order).toEqual(['intend', 'prefect POST', 'settle']);
    expect(gate.record()).toMatchObject({ action: 'blocks.read_secrets' });
    const plain = startMediator();
    await plain.send({ role: 'viewer', path, body: {} });
    expect(plain.order).toEqual(['prefect POST', 'append']);
  });
});
