// AWS's IAM and STS, played by moto: a server from PyPI that verifies signatures.
import { join } from 'node:path';
import { SignatureV4 } from '@smithy/signature-v4';
import { toolCacheDir } from '../../src/cli/repository.ts';
import { ensureVenv } from '../../src/cli/venv.ts';
import { Sha256 } from '../../src/contract/aws-hash.ts';
import { freePort } from './free-port.ts';
import { type Running, start } from './process.ts';

const VERSION = '5.2.5';
/** So many calls are not checked: making a role with a policy and taking it on, and the same in a second account, which is entered first. */
const FREE_CALLS = 7;
const OTHER_ACCOUNT = '999999999999';
const REGION = 'us-east-1';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Moto {
  readonly url: string;
  readonly region: string;
  /** Those of the role `etl` of account 123456789012, session `job1`. */
  readonly role: AwsCredentials;
  /** Those of the role of that name in account 999999999999. */
  readonly otherRole: AwsCredentials;
  close(): Promise<void>;
}

export async function startMoto(): Promise<Moto> {
  const cacheDir = toolCacheDir(process.env);
  const directory = join(cacheDir, `moto-${VERSION}`);
  const onProgress = (line: string): void => void process.stderr.write(`${line}\n`);
  await ensureVenv({ directory, requirements: [`moto[server]==${VERSION}`], cacheDir, env: process.env, onProgress });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const running: Running = await start({
    name: 'moto',
    command: join(directory, 'bin', 'moto_server'),
    args: ['-H', '127.0.0.1', '-p', String(port)],
    env: { PATH: process.env['PATH'], INITIAL_NO_AUTH_ACTION_COUNT: String(FREE_CALLS) },
    ready: async () => {
      const answer = await fetch(`${url}/moto-api/data.json`).catch(() => undefined);
      return answer?.ok === true;
    },
    readyTimeoutMs: 60_000,
  });
  const own = await makeRole(url, { account: '123456789012', as: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' } });
  const entered = await assume(url, `arn:aws:iam::${OTHER_ACCOUNT}:role/entrance`, { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'secret' });
  const other = await makeRole(url, { account: OTHER_ACCOUNT, as: entered });
  return { url, region: REGION, role: own, otherRole: other, close: () => running.stop() };
}

const ALLOW = JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] });

/** The role `etl`; answers the credentials of a session of it. */
async function makeRole(url: string, { account, as }: { readonly account: string; readonly as: AwsCredentials }): Promise<AwsCredentials> {
  const iam = (Action: string, more: Readonly<Record<string, string>>) => callAws(url, 'iam', as, { Action, Version: '2010-05-08', RoleName: 'etl', ...more });
  await iam('CreateRole', { AssumeRolePolicyDocument: ALLOW });
  await iam('PutRolePolicy', { PolicyName: 'all', PolicyDocument: ALLOW });
  return await assume(url, `arn:aws:iam::${account}:role/etl`, as);
}

async function assume(url: string, role: string, as: AwsCredentials): Promise<AwsCredentials> {
  const answer = await callAws(url, 'sts', as, { Action: 'AssumeRole', Version: '2011-06-15', RoleArn: role, RoleSessionName: 'job1' });
  const value = (name: string): string => new RegExp(`<${name}>([^<]+)<`).exec(answer)?.[1]?.replaceAll('&#x3D;', '=') ?? '';
  return { accessKeyId: value('AccessKeyId'), secretAccessKey: value('SecretAccessKey'), sessionToken: value('SessionToken') };
}

async function callAws(url: string, service: string, credentials: AwsCredentials, parameters: Readonly<Record<string, string>>): Promise<string> {
  const body = new URLSearchParams(parameters).toString();
  const { headers } = await signedRequest({
    url,
    region: REGION,
    service,
    credentials,
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const response = await fetch(url, { method: 'POST', headers, body });
  const answer = await response.text();
  if (!response.ok) throw new Error(`moto answered ${response.status}: ${answer}`);
  return answer;
}

export interface Signing {
  readonly url: string;
  readonly region: string;
  readonly service?: string;
  readonly credentials: AwsCredentials;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly at?: Date;
}

/** AWS's own signer. Answers the request as a client of the gateway shows it. */
export async function signedRequest({ url, region, service = 'sts', credentials, body, headers, method = 'POST', path = '/', query = {}, at }: Signing) {
  const { hostname, port, host, protocol, origin } = new URL(url);
  const signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  const request = { method, protocol, hostname, ...(port !== '' && { port: Number(port) }), path, query, headers: { host, ...headers }, body };
  const signed = await signer.sign(request, at === undefined ? {} : { signingDate: at });
  return { method, url: `${origin}${path}`, headers: signed.headers, body };
}
