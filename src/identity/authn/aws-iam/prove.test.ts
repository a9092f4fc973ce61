// Research row AW-01: what a signed request must be, that the one that is sent is made anew, and what the answer of STS may be.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AwsIamProvider } from '../../../config/config.ts';
import { OutboundError, type OutboundRequest } from '../outbound.ts';
import { openTestStore, type TestStore } from '../store.fixture.ts';
import { createProveAws } from './prove.ts';
import { BODY, BODY_HASH } from './signed-request.ts';

const PROVIDER: AwsIamProvider = { id: 'aws', type: 'aws-iam', audience: 'lictor.example', regions: ['eu-west-1'], stsEndpoint: null, caFile: null };
const ROLE_ARN = 'arn:aws:sts::123456789012:assumed-role/etl/job1';
const HOST = 'sts.eu-west-1.amazonaws.com';
const SIGNATURE = 'a'.repeat(64);

let test: TestStore;
let asked: { readonly url: string; readonly request: OutboundRequest }[];
let answer: () => Promise<Response>;
beforeEach(async () => {
  test = await openTestStore();
  asked = [];
  answer = async () => new Response(answerXml(ROLE_ARN));
});
afterEach(() => test.close());

function answerXml(arn: string, account = '123456789012'): string {
  return `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult><Arn>${arn}</Arn><UserId>AROA123EXAMPLE:job1</UserId><Account>${account}</Account></GetCallerIdentityResult>
  <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>`;
}

function prove(provider: AwsIamProvider = PROVIDER) {
  const outbound = {
    fetch: (url: string | URL, request: OutboundRequest = {}) => {
      asked.push({ url: String(url), request });
      return answer();
    },
  };
  return createProveAws({ provider, outbound, marks: test.store.marks, clock: test.clock });
}

/** Of the store's clock, 2023-11-14T22:13:20Z, moved. */
function amzDate(movedMs = 0): string {
  return new Date(test.clock() + movedMs).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
}

interface Given {
  /** Undefined: not sent. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly signed?: string;
  readonly region?: string;
  readonly signature?: string;
  readonly date?: string;
  readonly scopeDate?: string;
  readonly top?: Readonly<Record<string, unknown>>;
}

function subject({ headers = {}, signed = 'host;x-amz-date;x-amz-security-token;x-lictor-audience', region = 'eu-west-1', ...given }: Given = {}): string {
  const date = given.date ?? amzDate();
  const scope = `${given.scopeDate ?? date.slice(0, 8)}/${region}/sts/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=ASIAIOSFODNN7EXAMPLE/${scope}, SignedHeaders=${signed}, Signature=${given.signature ?? SIGNATURE}`;
  const all = { host: HOST, 'x-amz-date': date, 'x-amz-security-token': 'token', 'x-lictor-audience': 'lictor.example', authorization, ...headers };
  return JSON.stringify({ method: 'POST', url: `https://${HOST}/`, headers: all, body: BODY, ...given.top });
}

describe('a signed request', () => {
  it('is made anew, sent to the endpoint of its region, and is the role of the session', async () => {
    expect(await prove()(subject())).toEqual({
      ok: true,
      identity: {
        idp: 'aws',
        subject: 'arn:aws:iam::123456789012:role/etl',
        name: 'arn:aws:iam::123456789012:role/etl',
        kind: 'service',
        groups: [],
        claims: { account: '123456789012', session: 'job1' },
      },
      provider: PROVIDER,
      expiresAtMs: null,
      credentialId: 'aws:ASIAIOSFODNN7EXAMPLE',
    });
    expect(asked).toEqual([
      {
        url: `https://${HOST}/`,
        request: {
          method: 'POST',
          body: BODY,
          headers: {
            'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
            'x-amz-date': amzDate(),
            'x-amz-security-token': 'token',
            'x-lictor-audience': 'lictor.example',
            authorization: expect.stringContaining(SIGNATURE),
          },
        },
      },
    ]);
  });

  it('may sign the headers that the signers of AWS add', async () => {
    const signed = 'content-length;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-lictor-audience';
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': '43', 'X-Amz-Content-Sha256': BODY_HASH };
    expect(await prove()(subject({ signed, headers }))).toMatchObject({ ok: true });
    expect(asked[0]?.request.headers).toMatchObject({ 'content-type': 'application/x-www-form-urlencoded', 'x-amz-content-sha256': BODY_HASH });
  });

  it.each<[string, string, string]>([
    ['a user', 'arn:aws:iam::123456789012:user/ops/dana', 'arn:aws:iam::123456789012:user/ops/dana'],
    ['a role in China', 'arn:aws-cn:sts::123456789012:assumed-role/etl/i-0123', 'arn:aws-cn:iam::123456789012:role/etl'],
  ])('is %s where STS says so', async (_name, arn, name) => {
    answer = async () => new Response(`<?xml version="1.0"?>\n${answerXml(arn)}`);
    expect(await prove()(subject())).toMatchObject({ ok: true, identity: { name } });
  });

  it('goes to the global endpoint where no regions are named, to one that is given, and to China', async () => {
    const at = async (provider: Partial<AwsIamProvider>, region: string, url: string) =>
      prove({ ...PROVIDER, ...provider })(subject({ region, signature: `${asked.length}`.repeat(64), headers: { host: new URL(url).host }, top: { url } }));
    expect(await at({ regions: [] }, 'us-east-1', 'https://sts.amazonaws.com/')).toMatchObject({ ok: true });
    expect(await at({ stsEndpoint: 'http://127.0.0.1:5000' }, 'eu-west-1', 'http://127.0.0.1:5000/')).toMatchObject({ ok: true });
    expect(await at({ regions: ['cn-north-1'] }, 'cn-north-1', 'https://sts.cn-north-1.amazonaws.com.cn/')).toMatchObject({ ok: true });
    expect(await at({ regions: [] }, 'eu-west-1', `https://${HOST}/`)).toEqual({ ok: false, reason: 'aws-request' });
  });
});

describe('refused without asking STS', () => {
  it.each<[string, () => Given]>([
    ['another host in the header', () => ({ headers: { host: 'evil.example' } })],
    ['another host in the address', () => ({ top: { url: 'https://evil.example/' } })],
    ['a user in the address', () => ({ top: { url: `https://a@${HOST}/` } })],
    ['another path', () => ({ top: { url: `https://${HOST}/other` } })],
    ['a query', () => ({ top: { url: `https://${HOST}/?Action=GetCallerIdentity&Version=2011-06-15` } })],
    ['plain http', () => ({ top: { url: `http://${HOST}/` } })],
    ['another method', () => ({ top: { method: 'GET' } })],
    ['another action', () => ({ top: { body: 'Action=GetSessionToken&Version=2011-06-15' } })],
    ['a second action', () => ({ top: { body: `${BODY}&Action=AssumeRole` } })],
    ['no body', () => ({ top: { body: '' } })],
    ['a further field', () => ({ top: { extra: 1 } })],
    ['another region', () => ({ region: 'us-east-1' })],
    ['another audience', () => ({ headers: { 'x-lictor-audience': 'other.example' } })],
    ['an audience that is not signed', () => ({ signed: 'host;x-amz-date;x-amz-security-token' })],
    ['no audience at all, neither sent nor signed', () => ({ signed: 'host;x-amz-date;x-amz-security-token', headers: { 'x-lictor-audience': undefined } })],
    ['a token that is not signed', () => ({ signed: 'host;x-amz-date;x-lictor-audience' })],
    ['a host that is not signed', () => ({ signed: 'x-amz-date;x-amz-security-token;x-lictor-audience' })],
    ['a header that is asked to answer otherwise', () => ({ headers: { accept: 'application/json' } })],
    ['the same, signed', () => ({ headers: { accept: 'application/json' }, signed: 'accept;host;x-amz-date;x-amz-security-token;x-lictor-audience' })],
    ['a signed header that is not there', () => ({ signed: 'host;x-amz-date;x-amz-security-token;x-foo;x-lictor-audience' })],
    ['signed headers out of order', () => ({ signed: 'x-amz-date;host;x-amz-security-token;x-lictor-audience' })],
    ['a signed header twice', () => ({ signed: 'host;host;x-amz-date;x-amz-security-token;x-lictor-audience' })],
    ['a header in two spellings', () => ({ headers: { Host: HOST } })],
    ['a line break in a header', () => ({ headers: { 'x-amz-security-token': 'a\r\nx-evil: 1' } })],
    [
      'a hash of another body',
      () => ({ headers: { 'x-amz-content-sha256': 'b'.repeat(64) }, signed: 'host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-lictor-audience' }),
    ],
    ['a date that is none', () => ({ date: '20231399T000000Z' })],
    ['a date in another form', () => ({ date: '2023-11-14T22:13:20Z' })],
    ['a scope of another day', () => ({ scopeDate: '20231113' })],
    ['a signature in upper case', () => ({ signature: 'A'.repeat(64) })],
    ['a short signature', () => ({ signature: 'abc' })],
    ['headers that are a list', () => ({ top: { headers: [] } })],
  ])('%s', async (_name, given) => {
    expect(await prove()(subject(given()))).toEqual({ ok: false, reason: 'aws-request' });
    expect(asked).toEqual([]);
  });

  it.each(['', 'x', '[]', 'null', '{"method":"POST","method":"POST"}', `"${'x'.repeat(17_000)}"`])('what is no such object: %.20s', async (text) => {
    expect(await prove()(text)).toEqual({ ok: false, reason: 'aws-request' });
    expect(asked).toEqual([]);
  });

  it('what was signed more than five minutes ago, or will be', async () => {
    for (const movedMs of [-301_000, 301_000, -900_000]) expect(await prove()(subject({ date: amzDate(movedMs) }))).toEqual({ ok: false, reason: 'aws-stale' });
    expect(asked).toEqual([]);
    expect(await prove()(subject({ date: amzDate(-299_000) }))).toMatchObject({ ok: true });
  });

  it('what was used before, also after a while and by another gateway process', async () => {
    const text = subject();
    expect(await prove()(text)).toMatchObject({ ok: true });
    expect(await prove()(text)).toEqual({ ok: false, reason: 'aws-replayed' });
    test.advance(299_000);
    expect(await prove()(text)).toEqual({ ok: false, reason: 'aws-replayed' });
    test.advance(2_000);
    expect(await prove()(text)).toEqual({ ok: false, reason: 'aws-stale' });
    expect(asked).toHaveLength(1);
  });

  it('what was signed before a restore, and nothing later', async () => {
    using db = new DatabaseSync(join(test.directory, 'lictor.db'));
    db.exec(`INSERT INTO restores VALUES (1, 'b', 1, ${test.clock() - 10_000})`);
    expect(await prove()(subject({ date: amzDate(-11_000) }))).toEqual({ ok: false, reason: 'aws-replayed' });
    expect(await prove()(subject({ date: amzDate(-9_000) }))).toMatchObject({ ok: true });
  });
});

describe('what STS says', () => {
  it('of several uses at once, one counts', async () => {
    const proofs = await Promise.all(Array.from({ length: 5 }, () => prove()(subject())));
    expect(proofs.filter(({ ok }) => ok)).toHaveLength(1);
    expect(proofs.filter((proof) => !proof.ok && proof.reason === 'aws-replayed')).toHaveLength(4);
  });

  it.each([400, 403])('no, with %i: and the signature is not used up', async (status) => {
    answer = async () => new Response('<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>', { status });
    expect(await prove()(subject())).toEqual({ ok: false, reason: 'aws-refused' });
    answer = async () => new Response(answerXml(ROLE_ARN));
    expect(await prove()(subject())).toMatchObject({ ok: true });
  });

  it.each<[string, string]>([
    ['the root of an account', answerXml('arn:aws:iam::123456789012:root')],
    ['a federated user', answerXml('arn:aws:sts::123456789012:federated-user/dana')],
    ['a role of another account than it says', answerXml(ROLE_ARN, '999999999999')],
    ['a wildcard', answerXml('arn:aws:iam::123456789012:user/*')],
    ['two names', answerXml(`${ROLE_ARN}</Arn><Arn>${ROLE_ARN}`)],
    ['another answer around it', `<AssumeRoleResponse>${answerXml(ROLE_ARN)}</AssumeRoleResponse>`],
    ['another kind of answer', answerXml(ROLE_ARN).replaceAll('GetCallerIdentityResponse', 'GetSessionTokenResponse')],
    ['JSON', JSON.stringify({ GetCallerIdentityResponse: { GetCallerIdentityResult: { Arn: ROLE_ARN, Account: '123456789012' } } })],
    ['a web page', '<html></html>'],
  ])('%s: no identity', async (_name, xml) => {
    answer = async () => new Response(xml);
    expect(await prove()(subject())).toEqual({ ok: false, reason: 'aws-refused' });
  });

  it('a redirect: no identity, and it is not followed', async () => {
    answer = async () => new Response('', { status: 302, headers: { location: 'https://evil.example/' } });
    expect(await prove()(subject())).toEqual({ ok: false, reason: 'aws-refused' });
    expect(asked).toHaveLength(1);
  });

  it.each<[string, () => Promise<Response>]>([
    ['nothing', () => Promise.reject(new OutboundError('sts gave no answer: TimeoutError'))],
    ['503', async () => new Response('', { status: 503 })],
    ['that it is asked too often', async () => new Response('<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>', { status: 400 })],
  ])('%s: an outage, and the signature stays usable', async (_name, failing) => {
    answer = failing;
    await expect(prove()(subject())).rejects.toMatchObject({ code: 'gateway-unavailable' });
    answer = async () => new Response(answerXml(ROLE_ARN));
    expect(await prove()(subject())).toMatchObject({ ok: true });
  });
});
