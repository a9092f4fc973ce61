import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCatalogue } from '../../catalog/catalogue.ts';
import type { EventsMark } from '../../contract/prefect-event.ts';
import { createCore } from '../../ledger/core.ts';
import { END_MS, tempState, workerSetup } from '../../ledger/lines.fixture.ts';
import { checkEvents } from './events.ts';

describe('checkEvents', () => {
  let state: ReturnType<typeof tempState>;
  beforeEach(() => {
    state = tempState();
  });
  afterEach(() => state.remove());

  function marked(more: Partial<EventsMark>, ageMs = 0) {
    const core = createCore({ setup: workerSetup(state.paths, 's', END_MS), routes: createCatalogue(), clock: () => END_MS, onHealth: () => undefined });
    const at = new Date(END_MS).toISOString();
    core.storeEvents({ events: [], mark: { position: at, at, streams: 1, servers: 1, problem: null, ...more } });
    core.close();
    return checkEvents(state.paths.ledgerFile, END_MS + ageMs);
  }

  it('is ok while events arrive', () => {
    expect(marked({})).toMatchObject({ status: 'ok', message: 'events: 0 s behind, a stream is open' });
  });

  it('says how far they are behind, and why', () => {
    expect(marked({ problem: 'Prefect answered 500' }, 325_000)).toMatchObject({ status: 'fail', message: 'events: 300 s behind: Prefect answered 500' });
  });

  it('names a stream that is missing, without calling the whole ill', () => {
    expect(marked({ streams: 1, servers: 3 })).toMatchObject({ status: 'warn', message: 'events: 0 s behind, without a stream from 2 of 3 servers' });
  });

  it('says when there was no look yet', () => {
    expect(checkEvents(state.paths.ledgerFile, END_MS)).toMatchObject({ status: 'warn' });
  });
});
