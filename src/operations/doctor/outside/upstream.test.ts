import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../../../prefect/catalog/operations.ts';
import { answer, answering, PAGE, REFUSED } from './answers.fixture.ts';
import { checkBackDoor, checkCredential, checkHoles, checkRoutes, checkUiTarget, type UpstreamSubject } from './upstream.ts';

const subject = (
  by: Parameters<typeof answering>[0],
  authorization: string | null = `Basic ${Buffer.from('gw:secret').toString('base64')}`,
): UpstreamSubject => ({
  url: 'http://prefect:4200',
  authorization,
  tls: { ca: [], allowPartialTrustChain: false, checkServerIdentity: () => undefined },
  probe: answering(by),
});

describe('Prefect, asked directly', () => {
  it('answers with its version, and takes the credential', async () => {
    const seen: unknown[] = [];
    const found = await checkCredential(
      subject((request) => {
        seen.push(request.headers);
        return answer(200, '"3.9.1"');
      }),
    );
    expect(found).toMatchObject([{ status: 'ok', message: expect.stringContaining('3.9.1') }, { status: 'ok' }]);
    expect(seen).toEqual([{ authorization: `Basic ${Buffer.from('gw:secret').toString('base64')}` }]);
  });

  it.each([
    ['a wrong auth string', answer(401, {}), 'gw:wrong', 'rejects the credential'],
    ['a missing one', answer(401, {}), null, 'none is configured'],
    ['nobody', REFUSED, null, 'cannot be reached: ECONNREFUSED'],
    ['a certificate that has expired', { ok: false, error: 'CERT_HAS_EXPIRED' } as const, null, 'has expired'],
    ['a certificate for another name', { ok: false, error: 'ERR_TLS_CERT_ALTNAME_INVALID' } as const, null, 'for another name'],
    ['a certificate of an unknown authority', { ok: false, error: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' } as const, null, 'is not trusted'],
    ['a page', PAGE, null, 'with a page'],
    ['something else', answer(404, {}), null, 'not Prefect'],
  ])('names %s', async (_what, by, authorization, words) => {
    const [first] = await checkCredential(subject(by, authorization));
    expect(first).toMatchObject({ status: 'fail', message: expect.stringContaining(words) });
    expect(JSON.stringify(first)).not.toContain('wrong"');
  });

  it('has no bypass when it refuses strangers, and one when it does not', async () => {
    const seen: unknown[] = [];
    const closed = subject((request) => {
      seen.push(request.headers?.['authorization']);
      return answer(401, {});
    });
    expect(await checkBackDoor(closed)).toMatchObject([{ status: 'ok' }]);
    expect(seen).toEqual([undefined]);
    expect(await checkBackDoor(subject(answer(200, [])))).toMatchObject([
      { status: 'fail', message: expect.stringContaining('bypass'), remedy: expect.stringContaining('PREFECT_SERVER_API_AUTH_STRING') },
    ]);
    expect(await checkBackDoor(subject(PAGE))).toMatchObject([{ status: 'ok' }]);
    expect(await checkBackDoor(subject(REFUSED))).toMatchObject([
      { status: 'warn', message: expect.stringMatching(/bypass.*flows\/filter was not reached \(ECONNREFUSED\)/) },
    ]);
  });

  it('compares the routes', async () => {
    const one = OPERATIONS.filter(({ operationId }) => operationId === 'read_flow_flows__id__get');
    const route = (operationId: string) => ({ get: { operationId, parameters: [{ name: 'id', in: 'path', schema: { format: 'uuid' } }] } });
    const known = { paths: { '/flows/{id}': route('read_flow_flows__id__get') } };
    const newer = { paths: { ...known.paths, '/secrets/{id}': route('read_secret') } };
    expect(await checkRoutes(subject(answer(200, known)), () => one)).toMatchObject({ status: 'ok' });
    expect(await checkRoutes(subject(answer(200, newer)), () => one)).toMatchObject({ status: 'warn', message: expect.stringContaining('read_secret') });
    expect(await checkRoutes(subject(answer(200, { paths: {} })), () => one)).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('older Prefect'),
    });
    expect(await checkRoutes(subject(answer(200, 'x')), () => one)).toMatchObject({ status: 'warn' });
    const missing = (why: RegExp) => ({ status: 'warn', message: expect.stringMatching(why) });
    expect(await checkRoutes(subject(answer(401, {})), () => one)).toMatchObject(missing(/routes.*prefect:4200\/api\/openapi\.json was not reached.*401/));
    expect(await checkRoutes(subject(REFUSED), () => one)).toMatchObject(missing(/routes.*openapi\.json was not reached \(ECONNREFUSED\)/));
  });

  const HOLE = /CVE-[0-9-]+|PrefectHQ\S+/;
  it('names the holes of an older Prefect and what stops them, and says that a newer one has none', async () => {
    const old = await checkHoles(subject(answer(200, '"3.6.13"')));
    expect(old.map(({ status, message }) => `${status} ${HOLE.exec(message)?.[0]}`)).toEqual([
      'warn CVE-2026-7723',
      'warn CVE-2026-3514',
      'warn CVE-2026-5366',
      'warn PrefectHQ/prefect#22252',
    ]);
    expect((await checkHoles(subject(answer(200, '"3.6.22"')))).map(({ message }) => HOLE.exec(message)?.[0])).toEqual([
      'CVE-2026-5366',
      'PrefectHQ/prefect#22252',
    ]);
    expect(await checkHoles(subject(answer(200, '"3.9.1"')))).toMatchObject([{ status: 'ok', message: expect.stringContaining('4 virtual patches are on') }]);
    expect(await checkHoles(subject(PAGE))).toMatchObject([{ status: 'warn', message: expect.stringContaining('virtual patches could not be checked') }]);
  });

  it('warns of a UI that is sent elsewhere', async () => {
    const publicUrl = { origin: 'https://x.example', basePath: '' };
    const target = (api: unknown) => checkUiTarget(subject(answer(200, { api_url: api })), publicUrl);
    expect(await target('/api')).toMatchObject({ status: 'ok' });
    expect(await target('http://prefect:4200/api')).toMatchObject({ status: 'ok' });
    expect(await target('http://elsewhere:4200/api')).toMatchObject({ status: 'warn', message: expect.stringContaining('the gateway overrides') });
    expect(await checkUiTarget(subject(answer(404, {})), publicUrl)).toEqual([]);
    expect(await checkUiTarget(subject(REFUSED), publicUrl)).toMatchObject({
      status: 'warn',
      message: expect.stringContaining('/ui-settings was not reached'),
    });
  });

  it('looks for the UI below the path of public_url, and names one that is elsewhere', async () => {
    const publicUrl = { origin: 'https://x.example', basePath: '/prefect' };
    const servedAt = (base: string) =>
      checkUiTarget(
        subject(({ url }) => (url === `http://prefect:4200${base}/ui-settings` ? answer(200, { api_url: '/prefect/api' }) : answer(404, {}))),
        publicUrl,
      );
    expect(await servedAt('/prefect')).toMatchObject({ status: 'ok' });
    expect(await servedAt('')).toMatchObject({ status: 'fail', remedy: expect.stringContaining('PREFECT_UI_SERVE_BASE=/prefect') });
    expect(await servedAt('/elsewhere')).toEqual([]);
  });
});
