import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { didYouMean, knownActions, knownReasons } from './known-words.ts';

/** What the code writes between quotes behind this key. */
function written(key: 'action' | 'reason', value: string): readonly string[] {
  const files = globSync(join(import.meta.dirname, '../../..', '**', '*.ts')).filter((file) => !/\.(test|fixture)\.ts$/.test(file));
  const found = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(new RegExp(`\\b${key}: '(${value})'`, 'g'))]);
  return [...new Set(found.flatMap((match) => match[1] ?? []))];
}

describe('an action or a reason of a record', () => {
  it('is known, whatever part of the code writes it', () => {
    const actions = written('action', '[a-z_]+(?:\\.[a-z_]+)+');
    expect(actions.length).toBeGreaterThan(40);
    expect(actions.filter((action) => !knownActions().includes(action))).toEqual([]);
    const reasons = written('reason', '[a-z]+(?:-[a-z0-9]+)+');
    expect(reasons.length).toBeGreaterThan(40);
    expect(reasons.filter((reason) => !knownReasons().includes(reason))).toEqual([]);
  });

  it.each([
    [{ reason: 'policy-defalt-deny' }, 'policy-default-deny'],
    [{ reason: 'config-aplied' }, 'config-applied'],
    [{ action: 'flow_runs.crate' }, 'flow_runs.create'],
    [{ action: 'flow_run.create' }, 'flow_runs.create'],
    [{ action: 'deployment' }, 'deployments.*'],
    [{ action: 'deployments' }, 'deployments.*'],
    [{ action: 'flow_run.*' }, 'flow_runs.*'],
    [{ action: 'sesion.login' }, 'session.login'],
  ])('that is misspelt gets a suggestion: %j', (filter, near) => {
    expect(didYouMean(filter)).toEqual([expect.stringContaining(`did you mean ${near}?`)]);
  });

  it.each([
    { reason: 'policy-default-deny' },
    { action: 'flow_runs.create' },
    { action: 'flow_runs.*' },
    { action: 'deployments.run.*' },
    { action: 'session.*' },
    { action: 'token.create' },
    { action: 'something.else', reason: 'of-an-older-lictor' },
    {},
  ])('that is correct, or similar to no known one, gets none: %j', (filter) => expect(didYouMean(filter)).toEqual([]));
});
