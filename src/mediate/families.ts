// Which family takes an operation: one table, and the generic one for the rest.
import type { PublicUrl } from '../config/config.ts';
import { adminSettings } from './admin-settings.ts';
import { createAutomation, deleteOwnedAutomations, switchAutomation, updateAutomation } from './automations.ts';
import { changeBlockDocument, createBlockDocument } from './block-documents.ts';
import { blockDocumentsFilter } from './block-documents-filter.ts';
import { deleteDeployments, deleteFlow, deleteFlowRuns, deleteFlows } from './bulk-delete.ts';
import { writeConcurrencyLimit } from './concurrency-limits.ts';
import { createFlowRun, createFlowRuns } from './create-flow-run.ts';
import { createRunDirectly } from './create-run-directly.ts';
import { deleteArtifact } from './delete-artifact.ts';
import { createDeployment, updateDeployment } from './deployments.ts';
import type { Family } from './family.ts';
import { generic } from './generic.ts';
import { updateLabels } from './labels.ts';
import { resume } from './resume.ts';
import { createSchedules, updateSchedule } from './schedules.ts';
import { setState, setStates } from './set-state.ts';
import { validateValues } from './ui-schemas.ts';
import { uiSettings } from './ui-settings.ts';
import { updateFlowRun } from './update-flow-run.ts';
import { writeVariable } from './variables.ts';
import { createWorkPool, updateWorkPool } from './work-pools.ts';
import { updateWorkQueue } from './work-queues.ts';

/** The families that know their operations by name. */
export function namedFamilies(publicUrl: Pick<PublicUrl, 'basePath'>): readonly Family[] {
  return [
    createFlowRun,
    createFlowRuns,
    createRunDirectly,
    setState,
    setStates,
    updateFlowRun,
    updateLabels,
    resume,
    createDeployment,
    updateDeployment,
    createSchedules,
    updateSchedule,
    deleteFlow,
    deleteFlows,
    deleteDeployments,
    deleteFlowRuns,
    createWorkPool,
    updateWorkPool,
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
    validateValues,
    adminSettings,
    uiSettings(publicUrl),
  ];
}

export function createFamilies(publicUrl: Pick<PublicUrl, 'basePath'>): (operationId: string) => Family {
  const byOperation = new Map(namedFamilies(publicUrl).flatMap((family) => family.operations.map((operationId) => [operationId, family] as const)));
  return (operationId) => byOperation.get(operationId) ?? generic;
}
