// For tests: short forms of Prefect's events.
import type { StatePaths } from '../../../config/state-dir.ts';
import type { EventsMark, PrefectEvent } from '../../../contract/prefect-event.ts';
import { createAppend } from '../append.ts';
import { NODE, START_MS } from '../chain/chain.fixture.ts';
import { createChain } from '../chain/chain.ts';
import { openLedgerDatabase, transaction } from '../database.ts';
import { createEventStore } from './store-events.ts';

export const uuid = (number: number): string => `0199c0de-0000-7000-8000-${String(number).padStart(12, '0')}`;

/** A state of flow run `run`. */
export function flowRunEvent(number: number, run: number, more: Partial<PrefectEvent> = {}): PrefectEvent {
  return {
    id: uuid(number),
    occurred: `2026-03-01T12:00:00.${String(number).padStart(6, '0')}Z`,
    received: null,
    event: 'prefect.flow-run.Running',
    resource_id: `prefect.flow-run.${uuid(run)}`,
    resource_name: 'fuzzy-otter',
    state_type: 'RUNNING',
    state_name: 'Running',
    flow_run_id: uuid(run),
    task_run_id: null,
    deployment_id: null,
    parent_task_run_id: null,
    follows: null,
    related: [{ id: 'prefect.flow.1', role: 'flow', name: 'Grüße "quoted"' }],
    ...more,
  };
}

export const MARK: EventsMark = {
  position: '2026-03-01T12:00:00.000Z',
  at: '2026-03-01T12:00:01.000Z',
  streams: 1,
  servers: 1,
  problem: null,
};

/** One batch, as the gateway stores it. */
export function writeEvents(paths: Pick<StatePaths, 'ledgerFile' | 'ledgerKey'>, events: readonly PrefectEvent[], node = NODE): void {
  using db = openLedgerDatabase(paths.ledgerFile);
  const chain = createChain({ db, node, keyFile: paths.ledgerKey, clock: () => START_MS });
  const store = createEventStore(db, createAppend(db, node, chain));
  transaction(db, () => {
    store({ events, mark: MARK }, START_MS);
    chain.seal();
  });
}
