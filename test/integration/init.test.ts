// docs/how-to/init.md before the real Prefect and Keycloak: the answers of the page, alice's test login, the printed commands, and her first login.
// Then Ctrl-C in a real terminal.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { docsBlock } from '../env/docs.ts';
import { freePort } from '../env/free-port.ts';
import { type Gateway, startGateway } from '../env/gateway.ts';
import { CLIENT, type Keycloak, PEOPLE, sharedKeycloak } from '../env/keycloak.ts';
import { answerKeycloak, logInThroughKeycloak } from '../env/keycloak-login.ts';
import { sharedPrefect } from '../env/prefect.ts';
import { run, start, waitFor } from '../env/process.ts';
import { MAIN } from '../env/program.ts';

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

/** Runs the command of the page, with a test login. Answers lictor.yaml. */
async function initialised(stateDir: string): Promise<string> {
  writeFileSync(join(stateDir, 'answers.yaml'), 'test_login: true\n', { flag: 'a' });
  const [, ...words] = docsBlock(PAGE, './lictor init --answers').trim().replaceAll('answers.yaml', join(stateDir, 'answers.yaml')).split(' ');
  const out = join(stateDir, 'made');
  const args = words.map((word) => (word === '/etc/lictor' ? out : word));
  const init = await start({
    name: 'init',
    command: process.execPath,
    args: [MAIN, '--state-dir', join(stateDir, 'state'), ...args],
    env: environment(stateDir),
  });
  const address = () => / {4}(http\S+)\n/.exec(init.output())?.[1] ?? '';
  await waitFor(() => address() !== '' || !init.running(), { what: 'the address of the test login', timeoutMs: 60_000 });
  if (init.running()) await fetch(await answerKeycloak(new URL(address()), PEOPLE.alice));
  const { code } = await init.exited;
  printed = init.output();
  if (code !== 0) throw new Error(`lictor init exited ${code}: ${printed}`);
  return readFileSync(join(out, 'lictor.yaml'), 'utf8');
}

const environment = (home: string) => ({ PATH: process.env['PATH'], HOME: home });

it('names what it found, and prints the commands of the page', () => {
  expect(printed).toMatch(/Prefect 3\.\S+ at \S+ answers, and accepts the credential/);
  expect(printed).toContain('the provider knows the client');
  expect(printed).not.toContain('does not accept the callback');
  expect(printed).toContain('alice@corp has the groups platform (claim groups), and would have the role admin');
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

describe('Ctrl-C in a terminal', () => {
  const TERMINAL = resolve(import.meta.dirname, '../env/terminal.py');
  const CTRL_C = '\u0003';

  /** Types after each text. */
  async function typed(steps: readonly (readonly [text: string, typed: string])[], ...args: readonly string[]) {
    const [home, out] = [gateway.stateDir, join(gateway.stateDir, 'interrupted', 'out')];
    const words = [JSON.stringify(steps), process.execPath, MAIN, '--state-dir', join(home, 'other-state'), 'init', '--out', out, ...args];
    const env = { ...environment(home), TERM: 'xterm', PREFECT_API_URL: `${prefect.url}/api`, PREFECT_API_AUTH_STRING: prefect.authString ?? '' };
    const { code, output } = await run({ name: 'init in a terminal', command: join(prefect.venv, 'bin/python'), args: [TERMINAL, ...words], env });
    expect(code, output).toBe(0);
    return { ...JSON.parse(output), written: [existsSync(join(home, 'interrupted')), ...readdirSync(home).filter((name) => name.includes('.init-'))] };
  }

  const ended = { code: 130, restored: true, written: [false], output: expect.stringContaining('othing was written') };

  it.each([
    ['at the first question', async () => typed([['Address of the Prefect', CTRL_C]])],
    ['at the last question, with the files prepared', async () => typed([...(await allAnswers()), ['Write this to', CTRL_C]])],
    ['while it waits for the test login', async () => typed([['Open this address', CTRL_C]], '--answers', join(gateway.stateDir, 'waiting.yaml'))],
  ])('%s writes nothing, and leaves the terminal as it was', async (_when, interrupted) => {
    const answersYaml = readFileSync(join(gateway.stateDir, 'answers.yaml'), 'utf8');
    writeFileSync(join(gateway.stateDir, 'waiting.yaml'), answersYaml.replaceAll(gateway.url, `http://localhost:${await freePort()}`));
    const end = await interrupted();
    expect(end).toMatchObject(ended);
    expect(end.output.lastIndexOf('\u001b[?25h')).toBeGreaterThanOrEqual(end.output.lastIndexOf('\u001b[?25l'));
  });

  /** Of a trial with accounts. The first clears the proposed address. */
  async function allAnswers() {
    return [
      ['Address of the Prefect', '\r'],
      ['Address that people', `\u0015http://localhost:${await freePort()}\r`],
      ['How people log in', '\u001b[B\r'],
      ['first administrator', '\r'],
    ] as const;
  }
});
