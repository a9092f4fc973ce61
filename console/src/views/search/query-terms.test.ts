import { describe, expect, it } from 'vitest';
import { acceptSuggestion, finished, parseTerms, suggestionsAt, termText, valueOfKey, withoutTerm, withTerm } from './query-terms.ts';

const WORDS = {
  actions: ['flow_runs.cancel', 'flow_runs.create', 'session.login'],
  reasons: ['run-bound'],
  principals: ['alice@corp', 'bob@corp'],
  addresses: ['10.0.0.7'],
};
const textsAt = (text: string, at = text.length) => suggestionsAt({ text, at }, WORDS).map((each) => each.text);

describe('a query', () => {
  it('has terms, and words for all names', () => {
    const terms = parseTerms('principal:alice  object:"a b" token:etl terra');
    expect(terms.map(({ key, value }) => [key, value])).toEqual([
      ['principal', 'alice'],
      ['object', 'a b'],
      [null, 'token:etl'],
      [null, 'terra'],
    ]);
  });

  it('loses and changes one term', () => {
    const text = 'principal:alice object:"a b" x';
    const [, object] = parseTerms(text);
    expect(object && withoutTerm(text, object)).toBe('principal:alice x');
    expect(withTerm(text, 'principal', 'bob smith')).toBe('object:"a b" x principal:"bob smith"');
    expect(withTerm(text, 'principal', '')).toBe('object:"a b" x');
    expect(valueOfKey(text, 'object')).toBe('a b');
  });

  it('is searched without what is not finished', () => {
    expect(parseTerms('decision: a')).toMatchObject([{ key: 'decision', value: '' }, { key: null }]);
    expect([finished('decision: a reason:'), finished(' a ')]).toEqual(['a', 'a']);
  });

  it('cannot be broken by a value', () => {
    expect(termText('object', 'a" decision:allow "')).toBe('object:"a decision:allow "');
  });
});

describe('suggestions', () => {
  it('are keys that the query does not have', () => {
    expect(textsAt('')).toContain('principal:');
    expect(textsAt('de')).toEqual(['decision:', 'deployment:']);
    expect(textsAt('decision:deny de')).toEqual(['deployment:']);
    expect(textsAt('zzz')).toEqual([]);
  });

  it('are people whose name is typed without a key', () => {
    expect(textsAt('lice')).toEqual(['principal:alice@corp']);
    expect(textsAt('principal:bob lice')).toEqual([]);
    expect(parseTerms('who:carol x:y').map(({ key }) => key)).toEqual(['who', null]);
  });

  it('are values of the key', () => {
    expect(textsAt('decision:')).toEqual(['decision:deny', 'decision:allow']);
    expect(textsAt('action:canc')).toEqual(['action:flow_runs.cancel']);
    expect(textsAt('action:flow')).toEqual(['action:flow_runs.*', 'action:flow_runs.cancel', 'action:flow_runs.create']);
    expect(textsAt('principal:corp')).toEqual(['principal:alice@corp', 'principal:bob@corp']);
    expect(textsAt('decision:deny')).toEqual([]);
  });

  it('belong to the term at the caret', () => {
    const text = 'principal:al decision:deny';
    expect(textsAt(text, 12)).toEqual(['principal:alice@corp']);
    const [first] = suggestionsAt({ text, at: 12 }, WORDS);
    expect(first && acceptSuggestion({ text, at: 12 }, first)).toEqual({ text: 'principal:alice@corp decision:deny', at: 21 });
    expect(acceptSuggestion({ text: 'de', at: 2 }, { text: 'decision:', about: '' })).toEqual({ text: 'decision:', at: 9 });
  });
});
