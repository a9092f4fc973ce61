import { describe, expect, it } from 'vitest';
import { credentialsOf, listenersOf, membersOf } from './members.ts';

const one = { servers: ['http://a'], authString: 'u:old' };
const two = { servers: ['http://a', 'http://b'], authString: 'u:old' };
const ids = (members: readonly { readonly id: string }[]) => members.map(({ id }) => id);

describe('the ways to Prefect', () => {
  it('are the servers, each with its listener', () => {
    expect([ids(membersOf(one)), ids(listenersOf(one))]).toEqual([['http://a'], ['http://a']]);
    expect([ids(membersOf(two)), ids(listenersOf(two))]).toEqual([
      ['http://a', 'http://b'],
      ['http://a', 'http://b'],
    ]);
  });

  it('are twice as many while a credential is replaced', () => {
    const both = ['http://a', 'http://b', 'http://a#next', 'http://b#next'];
    expect([ids(membersOf({ ...two, next: 'u:new' })), ids(listenersOf({ ...two, next: 'u:new' }))]).toEqual([both, both]);
    expect(credentialsOf({ ...two, next: 'u:new' }).map(({ token }) => token)).toEqual(['u:old', 'u:new']);
  });

  it('go on listening when the one that came is the present one, and get no requests', () => {
    const after = { ...one, authString: 'u:new', next: 'u:new' };
    expect([ids(membersOf(after)), ids(listenersOf(after))]).toEqual([['http://a'], ['http://a', 'http://a#next']]);
    expect(credentialsOf(after)).toHaveLength(1);
  });

  it('show an auth string as Basic, a key as Bearer, and nothing where there is none', () => {
    expect(credentialsOf(one)[0]).toEqual({ authorization: 'Basic dTpvbGQ=', token: 'u:old' });
    expect(credentialsOf({ servers: [], authString: null, apiKey: 'pnu_x' })[0]).toEqual({ authorization: 'Bearer pnu_x', token: 'pnu_x' });
    expect(credentialsOf({ servers: [], authString: null })[0]).toEqual({ authorization: null, token: null });
  });
});
