// docs/how-to/init.md before the real Prefect and Keycloak: the answers of the page, the printed commands, and alice's first login.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { docsBlock } from '../env/docs.ts';
import { type Gateway, runLictor, startGateway } from '../env/gateway.ts';
import { CLIENT, type Keycloak, PEOPLE, sharedKeycloak } from '../env/keycloak.ts';
import { logInThroughKeycloak } from '../env/keycloak-login.ts';
import { sharedPrefect } from '../env/prefect.ts';

const PAGE = 'how-to/init.md';
const prefect = sharedPrefect();
let keycloak: Keycloak;
let gateway: Gateway;
let printed: string;

beforeAll(async () => {
  keycloak = await sharedKeycloak();
  gateway = await startGateway({
    upstream: prefect,
    yaml: async ({ url, stateDir }) => {
      await keycloak.serve(url, 'corp');
      writeFileSync(join(stateDir, 'client-secret'), CLIENT.secret, { mode: 0o600 });
      writeFileSync(join(stateDir, 'answers.yaml'), answers(url, stateDir));
      return await initialised(stateDir);
    },
  });
}, 400_000);
afterAll(() => gateway?.close());

/** Those of the page, for this Prefect and Keycloak; plain http, as public_url is on loopback. */
function answers(url: string, directory: string): string {
  return docsBlock(PAGE, 'prefect_url:')
    .replace(/^tls:.*\n/m, '')
    .replaceAll('/etc/lictor', directory)
    .replace('https://prefect.example.com', url)
    .replace('http://127.0.0.1:4200', prefect.url)
    .replace('https://idp.example.com/realms/data', keycloak.issuer);
}

/** Runs the command of the page. Answers lictor.yaml. */
async function initialised(stateDir: string): Promise<string> {
  const [, ...words] = docsBlock(PAGE, './lictor init --answers').trim().replaceAll('answers.yaml', join(stateDir, 'answers.yaml')).split(' ');
  const out = join(stateDir, 'made');
  const args = words.map((word) => (word === '/etc/lictor' ? out : word));
  const { code, output } = await runLictor(args, { configFile: join(stateDir, 'lictor.yaml'), stateDir: join(stateDir, 'state') });
  printed = output;
  if (code !== 0) throw new Error(`lictor init exited ${code}: ${output}`);
  return readFileSync(join(out, 'lictor.yaml'), 'utf8');
}

it('names what it found, and prints the commands of the page', () => {
  expect(printed).toMatch(/Prefect 3\.\S+ at \S+ answers, and accepts the credential/);
  expect(printed).toContain('the provider knows the client');
  expect(printed).not.toContain('does not accept the callback');
  for (const command of docsBlock(PAGE, './lictor up').trim().split('\n')) {
    const [, ...words] = (command.split(' -c ')[0] ?? '').split(' ');
    expect(printed).toContain(`  lictor ${words.join(' ')}`);
  }
});

it('alice of the group platform logs in as an admin, and bob gets nothing', async () => {
  const session = await logInThroughKeycloak(gateway.url, PEOPLE.alice);
  expect(await (await gateway.fetch('/.lictor/api/v1/me', { session })).json()).toMatchObject({ roles: ['admin'] });
  expect((await gateway.fetch('/api/admin/version', { session })).status).toBe(200);
  await expect(logInThroughKeycloak(gateway.url, PEOPLE.bob)).rejects.toThrow(/403[\s\S]*No access yet/);
});
