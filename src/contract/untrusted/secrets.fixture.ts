// Secrets of many shapes, made anew at each run: none of them stands in the repository, and none is valid anywhere.
import { generateKeyPairSync, randomBytes } from 'node:crypto';

const letters = (count: number): string =>
  randomBytes(count * 2)
    .toString('base64url')
    .replaceAll(/[-_]/g, 'a')
    .slice(0, count - 2)
    .concat('Z7');
const hex = (count: number): string => randomBytes(count).toString('hex').slice(0, count);
const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** `text`: as a flow may log it. `secret`: no part of it may arrive. */
export interface SecretCase {
  readonly text: string;
  readonly secret: string;
}

function inText(secret: string, before = 'value ', after = ' end'): SecretCase {
  return { text: `${before}${secret}${after}`, secret };
}

export function secretCases(): Readonly<Record<string, SecretCase>> {
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const keyLine = privateKey.split('\n')[1] ?? '';
  return {
    'AWS access key': inText(`AKIA${hex(16).toUpperCase()}`),
    'AWS secret key': inText(letters(40), 'aws_secret_access_key = '),
    'AWS secret key far from its name': inText(letters(40), `aws_secret_access_key=${' '.repeat(60)}`),
    'Google API key': inText(`AIza${letters(35)}`),
    'Google access token': inText(`ya29.${letters(60)}`),
    'key of a Google service account': { text: JSON.stringify({ private_key_id: hex(40), private_key: privateKey }), secret: keyLine },
    'GitHub token': inText(`ghp_${letters(36)}`),
    'GitHub fine-grained token': inText(`github_pat_${letters(22)}_${letters(59)}`),
    'GitLab token': inText(`glpat-${letters(20)}`),
    'Slack token': inText(`xoxb-${'123456789012'}-${'123456789012'}-${letters(24)}`),
    'Slack webhook': inText(letters(24), `https://hooks.slack.com/services/T${letters(8)}/B${letters(8)}/`),
    'private key': { text: `loaded\n${privateKey}done`, secret: keyLine },
    'private key without an end': { text: privateKey.split('-----END')[0] ?? '', secret: keyLine },
    'basic auth in a URL': inText(letters(12), 'https://etl:', '@db.internal/x'),
    'connection string': inText(letters(16), 'postgresql+asyncpg://prefect:', '@db:5432/prefect'),
    'JSON Web Token': inText(`${base64url({ alg: 'ES256' })}.${base64url({ sub: hex(8) })}.${letters(64)}`),
    'npm token': inText(`npm_${letters(36)}`),
    'npm token in .npmrc': inText(letters(36), '//registry.example/:_authToken='),
    'PyPI token': inText(`pypi-${letters(80)}`),
    'OpenAI key': inText(`sk-proj-${letters(48)}`),
    'Anthropic key': inText(`sk-ant-api03-${letters(93)}AA`),
    'Stripe key': inText(`sk_live_${letters(24)}`),
    'SendGrid key': inText(`SG.${letters(22)}.${letters(43)}`),
    'Hugging Face token': inText(`hf_${letters(34)}`),
    'Prefect key': inText(`pnu_${letters(36)}`),
    'Azure account key': inText(`${letters(86)}==`, 'DefaultEndpointsProtocol=https;AccountName=x;AccountKey=', ';EndpointSuffix=core.windows.net'),
    'signed URL': inText(hex(64), 'https://bucket.example/o?X-Amz-Expires=60&X-Amz-Signature='),
    'basic header': inText(Buffer.from(`etl:${letters(12)}`).toString('base64'), 'Authorization: Basic '),
    'bearer header': inText(letters(40), "{'authorization': 'Bearer ", "'}"),
    'session cookie of Lictor': inText(letters(43), 'cookie: __Host-lictor='),
    password: inText(letters(10), 'password='),
    'password in JSON': inText(letters(10), '{"db_password": "', '"}'),
    'password with blanks': inText(`correct horse ${letters(6)}`, 'password: "', '"'),
    'secret in the environment': inText(letters(24), 'export CLIENT_SECRET='),
    ...Object.fromEntries(['lct_', 'lca_', 'lcu_', 'lcr_', 'lcd_', 'lcf_'].map((prefix) => [`${prefix} token of Lictor`, inText(`${prefix}${hex(68)}`)])),
  };
}
