// The demo's accounts and service tokens, made the way a user makes them.
import { z } from 'zod';
import { lictor } from './lictor.ts';
import type { DemoPlaces } from './places.ts';

export interface Person {
  readonly name: string;
  readonly password: string;
  /** As the demo prints it. */
  readonly role: string;
}

export interface Cast {
  readonly alice: Person;
  readonly people: readonly Person[];
  /** For stock clients: roles deployer and worker. */
  readonly sampleToken: string;
  /** For the demo's own worker: role worker. */
  readonly workerToken: string;
}

const AccountOutput = z.object({ password: z.string() });
const TokenOutput = z.object({ secret: z.string() });

/** Creates everybody at once. */
export async function createCast(places: DemoPlaces): Promise<Cast> {
  const [alice, bob, carol, sampleToken, workerToken] = await Promise.all([
    addAccount(places, 'alice', 'admin'),
    addAccount(places, 'bob', 'operator', '--scope', 'tag=team-a'),
    addAccount(places, 'carol', 'viewer'),
    createToken(places, 'sample', ['deployer', 'worker']),
    createToken(places, 'demo-worker', ['worker']),
  ]);
  return { alice, people: [alice, bob, carol], sampleToken, workerToken };
}

async function addAccount(places: DemoPlaces, name: string, role: string, ...args: readonly string[]): Promise<Person> {
  const { password } = AccountOutput.parse(JSON.parse(await lictor(places, 'account', 'add', name, '--role', role, ...args, '--json')));
  return { name, password, role };
}

async function createToken(places: DemoPlaces, name: string, roles: readonly string[]): Promise<string> {
  const args = roles.flatMap((role) => ['--role', role]);
  return TokenOutput.parse(JSON.parse(await lictor(places, 'token', 'create', name, ...args, '--json'))).secret;
}
