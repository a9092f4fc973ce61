import { describe, expect, it } from 'vitest';
import { createAnswerStore, type StoredAnswer } from './answer-store.ts';

const answer = (bytes: number, headers = {}): StoredAnswer => ({ status: 200, headers, body: Buffer.alloc(bytes, 'x'), freshUntilMs: 1 });
const MOST = 100_000;

describe('the store of answers', () => {
  it('never has more than its bound, and the least recently used answer goes first', () => {
    const store = createAnswerStore(MOST);
    const shelf = store.shelf('billing', 0);
    for (let number = 0; number < 100; number += 1) {
      shelf?.get('0', {});
      shelf?.put(String(number), {}, answer(20_000));
      expect(store.size()).toBeLessThanOrEqual(MOST);
    }
    const left = Array.from({ length: 100 }, (_, number) => number).filter((number) => shelf?.get(String(number), {}) !== undefined);
    expect(left).toEqual([0, 97, 98, 99]);
    shelf?.put('large', {}, answer(MOST));
    expect(store.size()).toBeLessThanOrEqual(MOST);
  });

  it('counts the memory of an answer besides its body', () => {
    const store = createAnswerStore(MOST);
    const shelf = store.shelf('billing', 0);
    for (let number = 0; number < 1_000; number += 1) shelf?.put(String(number), {}, answer(0, { 'x-large': 'x'.repeat(1_000) }));
    const left = Array.from({ length: 1_000 }, (_, number) => number).filter((number) => shelf?.get(String(number), {}) !== undefined);
    expect(left.length).toBeLessThan(MOST / 2_000);
    expect(left.length).toBeGreaterThan(10);
  });

  it('evicts answers of the service with the most bytes: none can evict those within the share of another', () => {
    const store = createAnswerStore(MOST);
    store.shelf('small', 0)?.put('its', {}, answer(30_000));
    const greedy = store.shelf('greedy', 0);
    for (let number = 0; number < 50; number += 1) greedy?.put(String(number), {}, answer(30_000));
    expect(store.shelf('small', 0)?.get('its', {})).toBeDefined();
    expect(greedy?.get('49', {})).toBeDefined();
    expect(store.size()).toBeLessThanOrEqual(MOST);
  });

  it('has one answer for each value of the headers that an answer varies by', () => {
    const shelf = createAnswerStore(MOST).shelf('billing', 0);
    shelf?.put('a', { 'x-tenant': 'one' }, answer(1, { vary: 'X-Tenant' }));
    shelf?.put('a', { 'x-tenant': 'two' }, answer(2, { vary: 'x-tenant' }));
    const length = (tenant: string) => shelf?.get('a', { 'x-tenant': tenant })?.body.length;
    expect([length('one'), length('two'), length('three')]).toEqual([1, 2, undefined]);
    shelf?.delete('a', { 'x-tenant': 'one' });
    expect([length('one'), length('two')]).toEqual([undefined, 2]);
  });

  it('removes the answers of a service with its next generation, and stores none for the former one', () => {
    const store = createAnswerStore(MOST);
    const before = store.shelf('billing', 1);
    before?.put('a', {}, answer(1_000));
    const after = store.shelf('billing', 2);
    expect([after?.get('a', {}), store.size()]).toEqual([undefined, 0]);
    before?.put('late', {}, answer(1_000));
    expect([store.size(), store.shelf('billing', 1)]).toEqual([0, undefined]);
    after?.put('a', {}, answer(1_000));
    store.keepOnly(['another']);
    expect(store.size()).toBe(0);
  });
});
