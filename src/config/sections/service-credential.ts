// services[].inject: the credential that the gateway sends to a service, so that tasks never hold it.
import { z } from 'zod';
import { type Complaint, checkedBy, reject, says } from '../schema/issues.ts';
import { headerName, httpUrl, secretText, text } from '../schema/scalars.ts';
import type { Injected } from '../service.ts';
import type { Files } from './context.ts';
import { authoritiesFile, secretFile } from './files.ts';
import { isLoopback } from './public-url.ts';
import { isGatewaysOwn } from './traffic.ts';

export function injectKey(files: Files) {
  return z
    .strictObject({
      header: header(files).optional().describe('In a header.'),
      basic: basic(files).optional().describe('As user and password.'),
      query: query(files).optional().describe('In the query.'),
      oauth: oauth(files).optional().describe('An access token by client credentials.'),
      sigv4: sigv4.optional().describe('A signature of AWS.'),
    })
    .transform((wire, issues): Injected => {
      const [injected, ...more] = Object.values(wire).filter((one) => one !== undefined);
      if (injected !== undefined && more.length === 0) return injected;
      return reject(issues, { message: 'must hold exactly one credential', remedy: 'Give one of header, basic, query, oauth and sigv4.' });
    })
    .describe('A credential that the gateway adds, so that tasks hold none. One of these.');
}

function header(files: Files) {
  const name = headerName.superRefine(checkedBy(headerComplaint)).describe('Name of the header.');
  return z
    .strictObject({ name, ...secretKeys(files, 'value', 'File with its value.') })
    .transform((wire, issues): Injected => ({ header: wire.name, value: secretOf(wire, 'value', issues) }));
}

function headerComplaint(name: string): Complaint | undefined {
  const lower = name.toLowerCase();
  if (lower === 'authorization' || lower === 'cookie' || !isGatewaysOwn(lower)) return undefined;
  return { message: `${name} is set by the gateway itself`, remedy: 'Take the header that the service wants its key in.' };
}

function basic(files: Files) {
  const user = text.refine((name) => !name.includes(':'), says('holds a colon (RFC 7617, 2)', 'A user name has none.')).describe('The user.');
  return z.strictObject({ user, ...secretKeys(files, 'password', 'File with the password.') }).transform((wire, issues): Injected => {
    const pair = `${wire.user}:${secretOf(wire, 'password', issues)}`;
    return { header: 'Authorization', value: `Basic ${Buffer.from(pair).toString('base64')}` };
  });
}

function query(files: Files) {
  const name = z.string().regex(/^[A-Za-z0-9._~-]{1,64}$/, 'must be a name of letters, digits, dots, hyphens and underscores, at most 64');
  return z
    .strictObject({ name: name.describe('Name of the parameter.'), ...secretKeys(files, 'value', 'File with its value.') })
    .transform((wire, issues): Injected => ({ query: { name: wire.name, value: secretOf(wire, 'value', issues) } }));
}

function oauth(files: Files) {
  return z
    .strictObject({
      token_url: httpUrl.superRefine(checkedBy(tokenUrlComplaint)).describe('The token endpoint.'),
      client_id: text.describe('The client.'),
      ...secretKeys(files, 'client_secret', 'File with its secret.'),
      client_auth: z.enum(['basic', 'post']).default('basic').describe('How the client shows itself: basic (in a header), or post (in the form).'),
      scope: text.optional().describe('What is asked for.'),
      audience: text.optional().describe('Sent as audience, where the authorization server wants one.'),
      ca_file: authoritiesFile(files, "the token endpoint's certificate").optional(),
    })
    .transform((wire, issues): Injected => {
      const { token_url: tokenUrl, client_id: clientId, client_auth: clientAuth, scope = null, audience = null, ca_file: caFile = null } = wire;
      return { oauth: { tokenUrl, clientId, clientSecret: secretOf(wire, 'client_secret', issues), clientAuth, scope, audience, caFile } };
    });
}

/** The gateway sends the client's secret there. Over plain http, an attacker on the network could read it. */
function tokenUrlComplaint(address: string): Complaint | undefined {
  const url = URL.parse(address);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '')
    return { message: 'is no plain address', remedy: 'Write it as https://idp.example.com/oauth/token, without user, password or #.' };
  if (url.protocol === 'https:' || isLoopback(url.hostname)) return undefined;
  return { message: 'is plain http: anybody on the way could read the secret of the client', remedy: 'Write https://; http is for localhost alone.' };
}

const awsName = z.string().regex(/^[a-z0-9-]{1,60}$/, 'must be small letters, digits and hyphens: eu-west-1');

const sigv4 = z
  .strictObject({
    region: awsName.describe('For this region.'),
    service: awsName.describe('For this service: s3, execute-api.'),
    profile: text.optional().describe("Of AWS's own files. Default: its usual chain of environment, profile, container and instance."),
  })
  .transform(({ profile = null, ...wire }): Injected => ({ sigv4: { ...wire, profile } }));

type SecretKey = 'value' | 'password' | 'client_secret';
type SecretKeys<K extends SecretKey> = { readonly [name in K]?: string | undefined } & { readonly [name in `${K}_file`]?: string | null | undefined };

/** The two keys of a secret: a file that only the gateway can read, or the environment. If secrets are skipped, the value is empty. */
function secretKeys<K extends SecretKey>(files: Files, key: K, description: string) {
  const given = files.secrets === 'skip' ? secretText.transform(() => '') : secretText.superRefine(checkedBy(secretComplaint));
  return {
    [`${key}_file`]: secretFile(files, secretComplaint).optional().describe(description),
    [key]: given.optional().describe('The same from the environment: ${NAME}. Never the secret itself.'),
  } as { [name in `${K}_file`]: z.ZodOptional<ReturnType<typeof secretFile>> } & { [name in K]: z.ZodOptional<z.ZodType<string, string>> };
}

/** All other characters reach the service unchanged. */
function secretComplaint(secret: string): Complaint | undefined {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(secret)) return undefined;
  return { message: 'must be one line of printable ASCII', remedy: 'Write the secret alone, without line breaks or spaces around it.' };
}

function secretOf<K extends SecretKey>(wire: SecretKeys<K>, key: K, issues: z.RefinementCtx): string {
  const [given, fromFile]: [string | undefined, string | null | undefined] = [wire[key], wire[`${key}_file`]];
  if (given !== undefined && fromFile !== undefined) return reject(issues, { message: `stands beside ${key}`, remedy: 'Keep one of them.' }, [`${key}_file`]);
  if (given !== undefined || fromFile !== undefined) return given ?? fromFile ?? '';
  return reject(issues, { message: 'is missing', remedy: `Give ${key}_file, or ${key}: \${NAME} from the environment.` }, [`${key}_file`]);
}
