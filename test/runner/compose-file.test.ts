// compose.yaml, without a container. What they start in a real Docker: test/endurance/image.test.ts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { REPOSITORY } from '../../src/cli/repository.ts';

interface Service {
  readonly image: string;
  readonly user?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[] | Readonly<Record<string, unknown>>;
  readonly ports?: readonly string[];
  readonly healthcheck?: object;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
}

const COMPOSE = join(REPOSITORY, 'packaging/compose');
const { services, networks }: Compose = parse(readFileSync(join(COMPOSE, 'compose.yaml'), 'utf8'), { merge: true });
const networksOf = ({ networks: of = [] }: Service): readonly string[] => (Array.isArray(of) ? of : Object.keys(of));
const names = (condition: (service: Service) => boolean): readonly string[] =>
  Object.entries(services)
    .filter(([, service]) => condition(service))
    .map(([name]) => name);

describe('compose.yaml', () => {
  it('publishes Lictor alone, and on this machine only', () => {
    expect(names(({ ports }) => ports !== undefined)).toEqual(['lictor']);
    expect(services['lictor']?.ports).toEqual(['127.0.0.1:8200:8200']);
  });

  it('lets only Lictor and the server be with clients of Prefect, and no worker where the server is', () => {
    const besides = names((service) => networksOf(service).includes('prefect'));
    expect(besides).toEqual(['lictor', 'prefect-server']);
    expect(names((service) => networksOf(service).includes('data'))).toEqual(['prefect-server', 'prefect-services', 'postgres', 'redis']);
    expect(networksOf(services['worker'] ?? { image: '' })).toEqual(['clients']);
    for (const closed of ['prefect', 'data']) expect(networks[closed]?.internal).toBe(true);
  });

  it('gives each secret to its users alone, as a file', () => {
    const users = (volume: string) => names(({ volumes = [] }) => volumes.some((each) => each.startsWith(`${volume}:`) && each.endsWith(':ro')));
    expect(users('worker-secret')).toEqual(['worker']);
    expect(users('prefect-secret')).toEqual(['lictor', 'prefect-server', 'prefect-services']);
    expect(users('postgres-secret')).toEqual(['prefect-server', 'prefect-services', 'postgres']);
    const settings = Object.values(services).flatMap(({ environment = {} }) => Object.entries(environment));
    expect(settings.filter(([name, value]) => /PASSWORD|AUTH|KEY|TOKEN|SECRET|CONNECTION_URL/.test(name) && !value.startsWith('/secrets/'))).toEqual([]);
  });

  it('waits for the health of what a service needs, and checks the health of each that others need', () => {
    const needed = Object.values(services).flatMap(({ depends_on = {} }) => Object.entries(depends_on));
    for (const [name, { condition }] of needed) {
      if (name === 'setup') expect(condition).toBe('service_completed_successfully');
      else expect([name, condition, services[name]?.healthcheck]).toEqual([name, 'service_healthy', expect.anything()]);
    }
  });

  it('has the version of this release', () => {
    const { version }: { version: string } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8'));
    for (const name of ['lictor', 'setup']) expect(services[name]?.image).toBe(`localhost/lictor:${version}`);
  });
});
