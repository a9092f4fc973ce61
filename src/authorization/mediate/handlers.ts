// The handler of each mediated operation: the named handlers, and the default handler for the rest.
import type { PublicAddress } from '../../config/sections/public-url.ts';
import type { EventRules } from '../../prefect/events/rules.ts';
import { deleteOwnedAutomations, switchAutomation, writeAutomation } from './automations.ts';
import { blockDocumentsFilter, changeBlockDocument, createBlockDocument } from './block-documents.ts';
import { deleteDeployment, deleteDeployments, deleteFlow, deleteFlowRuns, deleteFlows } from './bulk-delete.ts';
import { writeConcurrencyLimit } from './concurrency-limits.ts';
import { takeSlots, touchLease } from './concurrency-slots.ts';
import { createEvents } from './create-events.ts';
import { createFlowRun, createFlowRuns } from './create-flow-run.ts';
import { createRunDirectly } from './create-run-directly.ts';
import { defaultHandler } from './default-handler.ts';
import { deleteArtifact } from './delete-artifact.ts';
import { createDeployment, pollDeployments, updateDeployment } from './deployments.ts';
import { resumeFlowRun, updateFlowRun, updateLabels } from './flow-run-writes.ts';
import type { Handler } from './handler.ts';
import type { RunTokenParts } from './parts.ts';
import { pollWorkPool } from './poll-work-pool.ts';
import { registerFlow } from './register-flow.ts';
import { createArtifact, createLogs, createTaskRun } from './run-output.ts';
import { createSchedules, deleteSchedule, updateSchedule } from './schedules.ts';
import { setState, setStates } from './set-state.ts';
import { setTaskState } from './set-task-state.ts';
import { adminSettings, uiSettings } from './settings.ts';
import { validateForm } from './validate-form.ts';
import { writeVariable } from './variables.ts';
import { createWorkPool, updateWorkPool } from './work-pools.ts';
import { createWorkQueue, updateWorkQueue } from './work-queues.ts';

export interface HandlerParts {
  readonly publicUrl: PublicAddress;
  readonly eventRules: EventRules;
  /** Left out: no run gets a token. */
  readonly runTokens?: RunTokenParts | undefined;
}

/** The handlers that know their operations by name. */
export function namedHandlers({ publicUrl, eventRules, runTokens }: HandlerParts): readonly Handler[] {
  return [
    createFlowRun,
    createFlowRuns,
    createRunDirectly,
    setState(runTokens),
    setStates(runTokens),
    pollWorkPool(runTokens),
    updateFlowRun,
    updateLabels,
    resumeFlowRun,
    registerFlow,
    createDeployment,
    updateDeployment,
    createSchedules,
    updateSchedule,
    deleteSchedule,
    deleteFlow,
    deleteFlows,
    deleteDeployment,
    deleteDeployments,
    deleteFlowRuns,
    createWorkPool(publicUrl),
    updateWorkPool(publicUrl),
    createWorkQueue,
    updateWorkQueue,
    writeAutomation,
    switchAutomation,
    deleteOwnedAutomations,
    blockDocumentsFilter,
    createBlockDocument,
    changeBlockDocument,
    writeVariable,
    writeConcurrencyLimit,
    deleteArtifact,
    createLogs,
    createArtifact,
    createTaskRun,
    setTaskState,
    takeSlots,
    touchLease,
    pollDeployments,
    validateForm,
    adminSettings,
    uiSettings(publicUrl),
    createEvents(eventRules),
  ];
}

export function createHandlers(parts: HandlerParts): (operationId: string) => Handler {
  const byOperation = new Map(namedHandlers(parts).flatMap((handler) => handler.operations.map((operationId) => [operationId, handler] as const)));
  return (operationId) => byOperation.get(operationId) ?? defaultHandler;
}
