// What is not read makes no difference, whatever it is; what is read does.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bareEntity } from '../../contract/entity.ts';
import { everywhere } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { createPolicyEngine } from './engine.ts';
import { readsOfEach } from './reads.ts';

const permit = (rest: string, scope = 'principal, action, resource') => `permit (${scope})${rest === '' ? '' : ` when { ${rest} }`};`;

describe('what a policy reads', () => {
  it.each<readonly [string, string]>([
    ['', permit('')],
    ['', permit('principal.kind == "user"')],
    ['', permit('', 'principal, action, resource is Flow')],
    ['resource', permit('', 'principal, action, resource == Flow::"f"')],
    ['resource', permit('resource == Flow::"f"')],
    ['resource', permit('resource has tags && resource.tags.contains("a")')],
    ['resource', permit('Flow::"f" has tags')],
    ['', permit('principal in Role::"viewer" && action in Action::"read" && principal != Principal::"a"')],
    ['address', permit('context.address == "::1"')],
    ['carrier', permit('if context.carrier == "session" then true else false')],
    ['facts', permit('context.facts has force && context.facts.force')],
    ['address facts', permit('["a"].contains(context.address) || context.facts has count')],
    ['facts parameters', permit('context.facts has parameter_values')],
    ['facts parameters', permit('context.facts has parameter_names && context.facts["parameter_names"].contains("a")')],
    ['resource address carrier facts parameters', permit('context has facts.parameter_values')],
    ['facts parameters', permit('context.facts == {"force": true}')],
    ['facts', permit('context has facts')],
    ['resource address carrier facts parameters', permit('(if principal.kind == "run" then context else context).facts has parameter_values')],
    ['resource address carrier facts parameters', permit('context == {"address": "", "carrier": "", "facts": {}}')],
    ['resource address carrier facts parameters', 'no policy'],
  ])('%s of %s', (expected, text) => {
    const reads = readsOfEach({ one: text })(['one']);
    expect(
      Object.entries(reads)
        .flatMap(([name, isRead]) => (isRead ? [name] : []))
        .join(' '),
    ).toBe(expected);
  });

  it('of several is what any of them reads, and of one that is not known everything', () => {
    const reads = readsOfEach({ a: permit('context.address == "x"'), b: permit('context.facts has force') });
    expect(reads(['a', 'b'])).toEqual({ resource: false, address: true, carrier: false, facts: true, parameters: false });
    expect(reads(['c'])).toEqual({ resource: true, address: true, carrier: true, facts: true, parameters: true });
  });
});

it('answers that are shared between questions are those of each question', () => {
  const actions = collectActions(OPERATIONS);
  const TEXTS: Readonly<Record<string, string>> = {
    base: '@id("base") permit (principal in Role::"viewer", action in Action::"read", resource);',
    tag: '@id("tag") forbid (principal, action == Action::"flows.read", resource) when { resource has tags && resource.tags.contains("b") };',
    place: '@id("place") forbid (principal, action == Action::"flow_runs.read", resource) when { context.address == "2" };',
    fact: '@id("fact") forbid (principal, action == Action::"deployments.read", resource) unless { context.facts has force };',
    one: '@id("one") forbid (principal, action == Action::"variables.read", resource == Variable::"2");',
  };
  const engine = createPolicyEngine({ actions, revision: 1, policies: TEXTS });
  const principal = {
    id: 'a',
    kind: 'user',
    idp: null,
    roles: ['viewer'],
    grants: everywhere(['viewer']),
    groups: [],
    attributes: {},
    onBehalfOf: [],
  } as const;
  fc.assert(
    fc.property(
      fc.record({
        kind: fc.constantFrom(['flows.read', 'Flow'], ['flow_runs.read', 'FlowRun'], ['deployments.read', 'Deployment'], ['variables.read', 'Variable']),
        id: fc.constantFrom('1', '2'),
        tag: fc.constantFrom('a', 'b'),
        address: fc.constantFrom('1', '2'),
        force: fc.boolean(),
      }),
      ({ kind: [action, type], id, tag, address, force }) => {
        const asked = {
          principal,
          action,
          resource: { type, id },
          context: { address, carrier: 'session', facts: force ? { force: true } : {} },
          entity: bareEntity('Flow', { tags: [tag] }),
        } as Parameters<typeof engine.evaluate>[0];
        const isForbidden = {
          'flows.read': tag === 'b',
          'flow_runs.read': address === '2',
          'deployments.read': !force,
          'variables.read': id === '2',
        }[action];
        expect(engine.evaluate(asked)).toMatchObject({ effect: isForbidden ? 'deny' : 'allow', resource: { type, id } });
      },
    ),
  );
});
