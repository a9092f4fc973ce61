// Which family takes an operation: one table, and the generic one for the rest.
import type { PublicUrl } from '../../config/config.ts';
import type { EventRules } from '../../prefect/events/rules.ts';
import { adminSettings } from './admin-settings.ts';
import { createAutomation, deleteOwnedAutomations, switchAutomation, updateAutomation } from './automations.ts';
import { changeBlockDocument, createBlockDocument } from './block-documents.ts';
import { blockDocumentsFilter } from './block-documents-filter.ts';
import { deleteDeployment, deleteDeployments, deleteFlow, deleteFlowRuns, deleteFlows } from './bulk-delete.ts';
import { writeConcurrencyLimit } from './concurrency-limits.ts';
import { createFlowRun, createFlowRuns } from './create-flow-run.ts';
import { createRunDirectly } from './create-run-directly.ts';
import { deleteArtifact } from './delete-artifact.ts';
import { createDeployment, updateDeployment } from './deployments.ts';
import { createEvents } from './events.ts';
import type { Family } from './family.ts';
import { generic } from './generic.ts';
import { updateLabels } from './labels.ts';
import { touchLease } from './leases.ts';
import { createArtifact, createLogs, createTaskRun, pollDeployments, takeSlots } from './machine-writes.ts';
import { pollWorkPool } from './poll-work-pool.ts';
import { registerFlow } from './register-flow.ts';
import { resume } from './resume.ts';
import type { RunParts } from './run-parts.ts';
import { createSchedules, deleteSchedule, updateSchedule } from './schedules.ts';
import { setState, setStates } from './set-state.ts';
import { setTaskState } from './set-task-state.ts';
import { validateValues } from './ui-schemas.ts';
import { uiSettings } from './ui-settings.ts';
import { updateFlowRun } from './update-flow-run.ts';
import { writeVariable } from './variables.ts';
import { createWorkPool, updateWorkPool } from './work-pools.ts';
import { createWorkQueue, updateWorkQueue } from './work-queues.ts';

export interface FamilyParts {
  readonly publicUrl: Pick<PublicUrl, 'basePath'>;
  readonly eventRules: EventRules;
  /** Left out: no run gets a token. */
  readonly runs?: RunParts | undefined;
}

/** The families that know their operations by name. */
export function namedFamilies({ publicUrl, eventRules, runs }: FamilyParts): readonly Family[] {
  return [
    createFlowRun,
    createFlowRuns,
    createRunDirectly,
    setState(runs),
    setStates(runs),
    pollWorkPool(runs),
    updateFlowRun,
    updateLabels,
    resume,
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
    createWorkPool,
    updateWorkPool,
    createWorkQueue,
    updateWorkQueue,
    createAutomation,
    updateAutomation,
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
    validateValues,
    adminSettings,
    uiSettings(publicUrl),
    createEvents(eventRules),
  ];
}

export function createFamilies(parts: FamilyParts): (operationId: string) => Family {
  const byOperation = new Map(namedFamilies(parts).flatMap((family) => family.operations.map((operationId) => [operationId, family] as const)));
  return (operationId) => byOperation.get(operationId) ?? generic;
}
