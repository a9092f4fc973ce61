import { describe, expect, it } from 'vitest';
import { createCatalogue, OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { SHOW_NONE, showsText } from './shows-text.ts';

function shows(operationId: string, status = 201): boolean {
  const operation = createCatalogue().byId(operationId);
  if (operation === undefined) throw new Error(`no operation ${operationId}`);
  return showsText(operation, status);
}

describe('answers that show text of others', () => {
  it('are all but those of the table, whose operations exist', () => {
    expect([...SHOW_NONE].filter((id) => createCatalogue().byId(id) === undefined)).toEqual([]);
    const silent = OPERATIONS.filter((operation) => !showsText(operation, 200)).map(({ operationId }) => operationId);
    expect(silent).toHaveLength(OPERATIONS.filter(({ group, operationId }) => group === 'baseline' || operationId.startsWith('docs:')).length + SHOW_NONE.size);
  });

  it.each([
    'read_flow_runs_flow_runs_filter_post',
    'read_logs_logs_filter_post',
    'download_logs_flow_runs__id__logs_download_get',
    'read_events_events_filter_post',
    'count_account_events_events_count_by__countable__post',
    'flow_run_history_flow_runs_history_post',
    'get_scheduled_flow_runs_work_pools__name__get_scheduled_flow_runs_post',
    'read_variables_variables_filter_post',
    'socket:logs-out',
  ])('include those of %s', (operationId) => expect(shows(operationId)).toBe(true));

  it.each([
    'health_check_health_get',
    'count_flow_runs_flow_runs_count_post',
    'docs:api-openapi',
    'create_flow_run_from_deployment_deployments__id__create_flow_run_post',
  ])('do not include those of %s', (operationId) => expect(shows(operationId)).toBe(false));

  it('include a run that existed before it should be created', () => {
    expect(shows('create_flow_run_from_deployment_deployments__id__create_flow_run_post', 200)).toBe(true);
  });
});
