// All entries of the catalogue, family by family.

import type { Operation } from '../../contract/operation.ts';
import { ADMIN } from './admin.ts';
import { ARTIFACTS } from './artifacts.ts';
import { AUTOMATIONS, TEMPLATES } from './automations.ts';
import { BLOCK_DOCUMENTS, BLOCK_SCHEMAS, BLOCK_TYPES } from './blocks.ts';
import { CONCURRENCY } from './concurrency.ts';
import { DEPLOYMENTS } from './deployments.ts';
import { DOCS } from './docs.ts';
import { EVENTS } from './events.ts';
import { FLOW_RUN_STATES, FLOW_RUNS } from './flow-runs.ts';
import { FLOWS } from './flows.ts';
import { LOGS } from './logs.ts';
import { SOCKETS } from './sockets.ts';
import { TASK_RUN_STATES, TASK_RUNS } from './task-runs.ts';
import { UI } from './ui.ts';
import { COLLECTIONS, OBSERVED_STATES, SAVED_SEARCHES, UI_READS } from './ui-reads.ts';
import { VARIABLES } from './variables.ts';
import { TASK_WORKERS, WORK_POOLS } from './work-pools.ts';
import { WORK_QUEUES } from './work-queues.ts';

export const OPERATIONS: readonly Operation[] = [
  ...ADMIN,
  ...FLOWS,
  ...FLOW_RUNS,
  ...FLOW_RUN_STATES,
  ...TASK_RUNS,
  ...TASK_RUN_STATES,
  ...DEPLOYMENTS,
  ...WORK_POOLS,
  ...TASK_WORKERS,
  ...WORK_QUEUES,
  ...LOGS,
  ...EVENTS,
  ...AUTOMATIONS,
  ...TEMPLATES,
  ...ARTIFACTS,
  ...VARIABLES,
  ...BLOCK_TYPES,
  ...BLOCK_SCHEMAS,
  ...BLOCK_DOCUMENTS,
  ...CONCURRENCY,
  ...SAVED_SEARCHES,
  ...OBSERVED_STATES,
  ...COLLECTIONS,
  ...UI_READS,
  ...SOCKETS,
  ...UI,
  ...DOCS,
];

/** Prefect has these routes only in some configurations (metrics, test mode). */
export const CONDITIONAL_OPERATIONS: readonly string[] = ['metrics_metrics_get', 'pid_pid_get'];
