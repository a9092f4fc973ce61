import { describe, expect, it } from 'vitest';
import { bodyOf, EMPTY_FORM, formOf, problemsOf, type TokenForm } from './token-form.ts';

const FORM: TokenForm = { ...EMPTY_FORM, name: 'etl', roles: ['worker'] };

describe('the form for a token', () => {
  it('is the body of the request', () => {
    expect(bodyOf({ ...FORM, scope: 'tags=team-a,team-b work_pool=pool-a own', networks: '10.0.0.0/8, 192.0.2.7' })).toEqual({
      name: 'etl',
      roles: ['worker'],
      scope: { tags: ['team-a', 'team-b'], work_pools: ['pool-a'], own: true },
      cidrs: ['10.0.0.0/8', '192.0.2.7'],
      expires: '90d',
    });
    expect(bodyOf({ ...FORM, expires: '' })).toEqual({ name: 'etl', roles: ['worker'], scope: null, cidrs: [], expires: null });
  });

  it.each([
    ['name', { name: 'a/b' }],
    ['name', { name: '' }],
    ['expires', { expires: '90' }],
    ['scope', { scope: 'team=a' }],
    ['scope', { scope: 'tags=' }],
    ['scope', { scope: 'tags' }],
  ])('has a problem at %s: %o', (field, more) => {
    expect(Object.keys(problemsOf({ ...FORM, ...more }))).toEqual([field]);
  });

  it('has none when it is complete', () => {
    expect(problemsOf(FORM)).toEqual({});
  });

  it('is empty for a draft that cannot be read', () => {
    expect([formOf('{'), formOf('null'), formOf('{"roles":5}'), formOf('{"roles":["root"]}')]).toEqual([EMPTY_FORM, EMPTY_FORM, EMPTY_FORM, EMPTY_FORM]);
    expect(formOf(JSON.stringify(FORM))).toEqual(FORM);
  });
});
