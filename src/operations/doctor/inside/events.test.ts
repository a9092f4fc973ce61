import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventsMark } from '../../../contract/prefect-event.ts';
import { createCatalogue } from '../../../prefect/catalog/catalogue.ts';
import { createCore } from '../../../record/ledger/core.ts';
import { END_MS, tempState, workerSetup } from '../../../record/ledger/lines.fixture.ts';
import { checkEvents } from './events.ts';

describe('checkEvents', () => {
  let state: ReturnType<typeof tempState>;
  beforeEach(() => {
    state = tempState();
  });
  afterEach(() => state.remove());

  /** Writes down how far the events are. */
  function mark(more: Partial<EventsMark>): void {
    const core = createCore({ setup: workerSetup(state.paths, 's', END_MS), routes: createCatalogue(), clock: () => END_MS, onHealth: () => undefined });
    const at = new Date(END_MS).toISOString();
    core.store({ kind: 'events', batch: { events: [], mark: { position: at, at, streams: 1, servers: 1, problem: null, ...more } } });
    core.close();
  }

  let told: string[];
  const look = (ageMs = 0, openingMs = 1) => {
    told = [];
    return checkEvents({ subscriber: null, ledgerFile: state.paths.ledgerFile, clock: () => END_MS + ageMs, onProgress: (line) => told.push(line), openingMs });
  };
  const marked = (more: Partial<EventsMark>, ageMs = 0) => {
    mark(more);
    return look(ageMs);
  };

  it('is ok while events arrive', async () => {
    expect(await marked({})).toMatchObject({ status: 'ok', message: 'events: 0 s behind, a stream is open' });
  });

  it('says how far they are behind, and why, at once', async () => {
    expect(await marked({ problem: 'Prefect answered 500' }, 325_000)).toMatchObject({ status: 'fail', message: 'events: 300 s behind: Prefect answered 500' });
  });

  it('names a stream that is missing, without calling the whole ill', async () => {
    expect(await marked({ streams: 1, servers: 3 })).toMatchObject({ status: 'warn', message: 'events: 0 s behind, without a stream from 2 of 3 servers' });
  });

  it('says when there was no look yet', async () => {
    expect(await look()).toMatchObject({ status: 'warn' });
  });

  it.each<[string, () => void]>([
    ['has not asked yet', () => undefined],
    ['has not opened its stream yet', () => mark({ streams: 0 })],
    ['was away for long', () => mark({ position: new Date(END_MS - 3_600_000).toISOString() })],
  ])('of a gateway that %s waits until it has, and says so', async (_what, before) => {
    before();
    const found = look(0, 20_000);
    expect(told).toEqual(['waiting for the events of Prefect to arrive, for up to 20 s ...']);
    mark({});
    expect(await found).toMatchObject({ status: 'ok' });
  });

  it('waits for nothing where all is well, or where it is known what is wrong', async () => {
    mark({});
    expect(await look(0, 20_000)).toMatchObject({ status: 'ok' });
    expect(told).toEqual([]);
    mark({ streams: 0, problem: 'Prefect answered 500' });
    expect(await look(0, 20_000)).toMatchObject({ status: 'warn' });
    expect(told).toEqual([]);
  });
});
