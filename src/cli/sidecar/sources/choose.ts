// `--as`: selects the credential source, from the command line and the environment.
import { resolve } from 'node:path';
import { isLoopback } from '../../../config/sections/public-url.ts';
import { readSecretFile } from '../../../config/sections/secret-file.ts';
import type { Clock } from '../../../contract/clock.ts';
import { type CredentialSource, SourceError } from '../credential.ts';
import type { GatewayAddress } from '../gateway-url.ts';
import { createAuthorization } from '../login/authorization.ts';
import type { Credentials } from '../login/credentials.ts';
import type { Transport } from '../transport.ts';
import { awsRole } from './aws-iam.ts';
import { clientCredentials } from './client-credentials.ts';
import { jwtFile, tokenFile } from './files.ts';
import { githubJob } from './github.ts';
import { personLogin } from './login.ts';

export interface Choice {
  /** One of `SOURCES`. */
  readonly as: string;
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
  readonly clientSecretFile?: string | undefined;
  readonly scope?: string | undefined;
  readonly audience?: string | undefined;
}

export interface ChoosingParts {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Where a proof is exchanged for a token. */
  readonly gateway: GatewayAddress;
  /** The logins that `lictor login` has stored. */
  readonly credentials: Credentials;
}

/** `problem` is for the person at the terminal. */
export type Chosen = { readonly ok: true; readonly source: CredentialSource } | { readonly ok: false; readonly problem: string };

export function chooseSource(choice: Choice, parts: ChoosingParts): Chosen {
  const [name = '', ...rest] = choice.as.split(':');
  const source = Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined;
  if (source === undefined)
    return no(
      `unknown. Use one of: ${Object.values(SOURCES)
        .map(({ form }) => form)
        .join(', ')}.`,
    );
  return source.choose(choice, parts, rest.join(':'));
}

interface SourceKind {
  /** Its spelling in `--as`. */
  readonly form: string;
  readonly help: string;
  readonly choose: (choice: Choice, parts: ChoosingParts, file: string) => Chosen;
}

const SOURCES: Readonly<Record<string, SourceKind>> = {
  login: {
    form: 'login',
    help: 'your own login (lictor login); the gateway is that of the last login where none is named',
    choose: (_choice, parts) => chooseLogin(parts),
  },
  token: {
    form: 'token:FILE',
    help: 'a service token in a file (mode 600); a new one in it is picked up within seconds',
    choose: (_choice, parts, file) => chooseToken(file, parts),
  },
  jwt: {
    form: 'jwt:FILE',
    help: 'a JWT in a file that another program renews: a projected Kubernetes token',
    choose: (_choice, parts, file) => chooseJwt(file, parts),
  },
  oidc: {
    form: 'oidc',
    help: 'client credentials: --issuer, --client-id, --client-secret-file (LICTOR_OIDC_ISSUER, _CLIENT_ID, _CLIENT_SECRET_FILE)',
    choose: (choice, parts) => (isGithub(choice, parts) ? chooseGithub(choice, parts) : chooseClient(choice, parts)),
  },
  github: { form: 'github', help: 'the OIDC token of a GitHub job with "permissions: id-token: write"', choose: chooseGithub },
  'aws-iam': {
    form: 'aws-iam',
    help: "the role that AWS gave this machine: environment, profile, container or instance; --audience (default: the gateway's host)",
    choose: chooseAws,
  },
};

/** One line for each source, for `lictor exec --help`. */
export const SOURCES_HELP = Object.values(SOURCES)
  .map(({ form, help }) => `  --as ${form.padEnd(12)} ${help}`)
  .join('\n');

function yes(source: CredentialSource): Chosen {
  return { ok: true, source };
}

function no(problem: string): Chosen {
  return { ok: false, problem };
}

function chooseLogin({ gateway, credentials, transport, clock }: ChoosingParts): Chosen {
  return yes(personLogin({ gateway, credentials, authorization: createAuthorization(gateway, transport, clock), clock }));
}

function chooseToken(file: string, { cwd, clock }: ChoosingParts): Chosen {
  if (file === '') return no('token needs a file: --as token:/run/secrets/lictor-token');
  // The message does not quote it, since it may be the secret.
  if (file.startsWith('lct_'))
    return no('a token on the command line can be read by every user of the machine. Put it into a file of mode 600: --as token:FILE');
  return yes(tokenFile(resolve(cwd, file), clock));
}

function chooseJwt(file: string, { cwd, clock }: ChoosingParts): Chosen {
  return file === '' ? no('jwt needs a file: --as jwt:/var/run/secrets/tokens/lictor') : yes(jwtFile(resolve(cwd, file), clock));
}

/** In a job that may request a token, if no client is named. */
function isGithub(choice: Choice, { env }: ChoosingParts): boolean {
  return (choice.clientId ?? env['LICTOR_OIDC_CLIENT_ID']) === undefined && present(env['ACTIONS_ID_TOKEN_REQUEST_URL']);
}

function chooseGithub({ audience }: Choice, { env, transport, clock }: ChoosingParts): Chosen {
  const url = env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? '';
  const token = env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? '';
  if (url === '' || token === '') return no('this is no GitHub job that may ask for a token: give it "permissions: id-token: write".');
  const place = parseIssuer(url);
  if (place === undefined) return no('ACTIONS_ID_TOKEN_REQUEST_URL is no https address.');
  return yes(githubJob({ url: place, token, audience: audience ?? env['LICTOR_OIDC_AUDIENCE'] ?? 'lictor' }, transport, clock));
}

/** The audience is by default the gateway's host name. The region comes from where AWS's tools read it. */
function chooseAws({ audience }: Choice, { env, transport, clock, gateway }: ChoosingParts): Chosen {
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? '';
  const wanted = env['AWS_ENDPOINT_URL_STS'] ?? '';
  const endpoint = wanted === '' ? null : parseIssuer(wanted);
  if (endpoint === undefined) return no('AWS_ENDPOINT_URL_STS is no https address.');
  if (!/^[a-z0-9-]{0,32}$/.test(region)) return no('AWS_REGION is no region.');
  const global = env['AWS_STS_REGIONAL_ENDPOINTS'] === 'legacy' || region === '';
  const role = { audience: audience ?? env['LICTOR_AWS_AUDIENCE'] ?? gateway.hostname, region: global ? null : region, endpoint };
  return yes(awsRole(role, gateway, transport, clock));
}

function chooseClient(choice: Choice, { cwd, env, transport, clock }: ChoosingParts): Chosen {
  const issuer = choice.issuer ?? env['LICTOR_OIDC_ISSUER'];
  const clientId = choice.clientId ?? env['LICTOR_OIDC_CLIENT_ID'];
  const secretFile = choice.clientSecretFile ?? env['LICTOR_OIDC_CLIENT_SECRET_FILE'];
  if (!present(issuer) || !present(clientId) || !present(secretFile)) {
    return no('oidc needs --issuer, --client-id and --client-secret-file (or LICTOR_OIDC_ISSUER, _CLIENT_ID, _CLIENT_SECRET_FILE).');
  }
  const place = parseIssuer(issuer);
  if (place === undefined) return no('--issuer must be an https address, as the provider writes it in iss.');
  const file = resolve(cwd, secretFile);
  return yes(
    clientCredentials(
      {
        issuer: place,
        clientId,
        readSecret: () => readClientSecret(file),
        scope: choice.scope ?? env['LICTOR_OIDC_SCOPE'] ?? null,
        audience: choice.audience ?? env['LICTOR_OIDC_AUDIENCE'] ?? null,
      },
      transport,
      clock,
    ),
  );
}

function present(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}

/** Secrets are sent there: https, or this machine. */
function parseIssuer(text: string): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
  return secure && url.username === '' && url.password === '' && url.hash === '' ? url : undefined;
}

function readClientSecret(file: string): string {
  let problem = `${file} cannot be read.`;
  const text = readSecretFile(file, [], (_keys, message, remedy) => {
    problem = `${message}. ${remedy}`;
  });
  const secret = text?.replace(/\r?\n$/, '');
  if (secret === undefined || secret === '') throw new SourceError(secret === '' ? `${file} is empty.` : problem, { final: true });
  return secret;
}
