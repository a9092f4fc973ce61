// Which family takes an operation: one table, and the generic one for the rest.
import type { PublicUrl } from '../config/config.ts';
import { adminSettings } from './admin-settings.ts';
import { blockDocumentsFilter } from './block-documents-filter.ts';
import { createFlowRun, createFlowRuns } from './create-flow-run.ts';
import { createRunDirectly } from './create-run-directly.ts';
import type { Family } from './family.ts';
import { generic } from './generic.ts';
import { updateLabels } from './labels.ts';
import { resume } from './resume.ts';
import { setState, setStates } from './set-state.ts';
import { uiSettings } from './ui-settings.ts';
import { updateFlowRun } from './update-flow-run.ts';

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
    blockDocumentsFilter,
    adminSettings,
    uiSettings(publicUrl),
  ];
}

export function createFamilies(publicUrl: Pick<PublicUrl, 'basePath'>): (operationId: string) => Family {
  const byOperation = new Map(namedFamilies(publicUrl).flatMap((family) => family.operations.map((operationId) => [operationId, family] as const)));
  return (operationId) => byOperation.get(operationId) ?? generic;
}
