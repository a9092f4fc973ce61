import { describe, expect, it } from 'vitest';
import { type FeedParts, type FeedState, type Page, readFeed } from './feed.ts';
import { row } from './rows.fixture.ts';

const page = (key: string, next: string | null): Page<string> => ({ run: key === 'r1' ? 'head' : null, rows: [row(0, { key })], next, live: 'live1' });

async function read(answers: readonly (Page<string> | Error)[], retryMs: number | null = 7) {
  const asked: unknown[] = [];
  const waits: number[] = [];
  const states: FeedState<string>[] = [];
  const keys: string[] = [];
  const control = new AbortController();
  const left = [...answers];
  const parts: FeedParts<string> = {
    async ask({ cursor, limit }) {
      asked.push([cursor, limit]);
      const answer = left.shift();
      if (answer instanceof Error || answer === undefined) throw answer ?? new Error('none');
      return answer;
    },
    async wait(ms) {
      waits.push(ms);
    },
    retryMs: () => retryMs,
    onPage(rows, state) {
      keys.push(...rows.map(({ key }) => key));
      states.push(state);
      if (left.length === 0) control.abort();
    },
  };
  await readFeed(parts, control.signal);
  return { asked, waits, states, keys };
}

describe('the feed of a timeline', () => {
  it('reads a small page, large ones at once, then what is new, with pauses', async () => {
    const quiet = { ...page('-', null), rows: [] };
    const { asked, waits, states, keys } = await read([page('r1', 'p2'), page('r2', null), page('r3', null), quiet, quiet]);
    expect(asked).toEqual([
      [undefined, 300],
      ['p2', 5000],
      ['live1', 5000],
      ['live1', 5000],
      ['live1', 5000],
    ]);
    expect(waits).toEqual([1000, 1000, 1300]);
    expect(keys).toEqual(['r1', 'r2', 'r3']);
    expect(states.map(({ head, complete }) => [head, complete])).toEqual([
      ['head', false],
      ['head', true],
      ['head', true],
      ['head', true],
      ['head', true],
    ]);
  });

  it('goes on from the same place after an error', async () => {
    const { asked, waits, states } = await read([page('r1', 'p2'), new Error('away'), page('r2', null)]);
    expect(asked.slice(1)).toEqual([
      ['p2', 5000],
      ['p2', 5000],
    ]);
    expect(waits).toEqual([7]);
    expect(states.map(({ problem }) => problem instanceof Error)).toEqual([false, true, false]);
  });

  it('ends at an error that will stay', async () => {
    const { asked } = await read([new Error('not found'), page('r1', null)], null);
    expect(asked).toHaveLength(1);
  });
});
