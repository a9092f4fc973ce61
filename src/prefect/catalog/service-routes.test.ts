import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { ServiceRoute } from '../../config/service.ts';
import { routeExpression, routeOf } from './service-routes.ts';

const routes: readonly ServiceRoute[] = [
  { pattern: '/v1/rates', methods: ['POST'] },
  { pattern: '/v1/job:run/*', methods: ['GET', 'POST'] },
  { pattern: '/v1/*.json', methods: ['GET'] },
  { pattern: '/v1/*', methods: ['GET'] },
];
const pattern = (method: string, path: string) => routeOf({ routes }, method, path)?.pattern;

it.each([
  ['POST', '/v1/rates', '/v1/rates'],
  ['POST', '/v1/rates/', '/v1/rates'],
  ['GET', '/v1/rates', '/v1/*'],
  ['GET', '/v1/job:run/1', '/v1/job:run/*'],
  ['GET', '/v1/job%3Arun/1', '/v1/job:run/*'],
  ['GET', '/v1/a/b.json', '/v1/*.json'],
  ['GET', '/v1/axjson', '/v1/*'],
  ['GET', '/v1/', '/v1/*'],
])('%s %s is of the route %s', (method, path, wanted) => expect(pattern(method, path)).toBe(wanted));

it.each([
  ['POST', '/v1/rates2'],
  ['POST', '/v1/x'],
  ['DELETE', '/v1/rates'],
  ['GET', '/v1'],
  ['GET', '/V1/x'],
  ['GET', '/x/v1/x'],
  ['get', '/v1/x'],
])('%s %s is of none', (method, path) => expect(pattern(method, path)).toBeUndefined());

const letters = (...units: string[]) => fc.string({ unit: fc.constantFrom(...units), maxLength: 10 });

it('what stands between two `*` is found wherever it can be', () => {
  // As it would be with `.*` for each.
  const anywhere = (pattern: string) =>
    pattern
      .split('*')
      .map((text) => routeExpression(`${text}/`).slice(0, -1))
      .join('.*');
  fc.assert(
    fc.property(letters('a', '/', ':', '*', '*'), letters('a', '/', ':', '%3A', '%41'), fc.constantFrom('/', '*'), (beginning, path, end) => {
      const pattern = `${beginning}${end}`;
      expect(new RegExp(`^${routeExpression(pattern)}$`).test(path)).toBe(new RegExp(`^${anywhere(pattern)}$`).test(path));
    }),
    { numRuns: 2_000 },
  );
});

it('a path is read once, however often what stands between two `*` is in it', () => {
  const deep = { routes: [{ pattern: '/r/*/a*/a*/a*/b', methods: ['GET'] }] } as const;
  const path = `/r/x${'/a'.repeat(15_000)}`;
  expect(routeOf(deep, 'GET', path)).toBeUndefined();
  expect(routeOf(deep, 'GET', `${path}/b`)).toBeDefined();
});
