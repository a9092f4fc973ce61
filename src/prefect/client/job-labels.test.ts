import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../contract/json/tree.ts';
import { labelProblem, labelProblemOf } from './job-labels.ts';

const RUN = 'prefect.io/flow-run-id';
const BLOCK = { block_document_id: '11111111-2222-3333-4444-555555555555' };
const template = (job: JsonValue, labels: JsonValue = {}) => ({ job_configuration: job, variables: { properties: { labels } } });

describe('labels of a job', () => {
  it.each<JsonValue>([
    { labels: { [RUN]: 'x' } },
    { labels: { team: 'a', 'prefect.io/deployment-name': 'x' } },
    { labels: { 'Prefect.IO/flow-run-id': 'x' } },
    { labels: { 'io.prefect.flow-run-id': 'x' } },
    { labels: { 'io/prefect.flow-run-id': 'x' } },
    // What the worker makes the same of.
    { labels: { ' prefect.io /flow-run-id': 'x' } },
    { labels: { '-prefect.io_/flow-run-id': 'x' } },
    { labels: { [`prefect.io${'.'.repeat(300)}x/flow-run-id`]: 'x' } },
    { labels: { '\uff50refect.io/flow-run-id': 'x' } },
    { labels: { '&#112;refect.io/flow-run-id': 'x' } },
    { [`labels.${RUN}`]: 'x' },
    { [`Labels.${RUN}`]: 'x' },
    { [`labels[${RUN}].`]: 'x' },
    { 'labels.prefect': { 'io/flow-run-id': 'x' } },
    { labels: { prefect: { 'io/flow-run-id': 'x' } } },
  ])('are the worker alone: %j', (variables) => {
    expect(labelProblem(variables, 'job_variables')).toMatch(/set by the worker alone/);
  });

  it.each<JsonValue>([
    { labels: '{{ prefect.variables.labels }}' },
    { labels: ['x'] },
    { labels: { $ref: BLOCK } },
    { 'labels.$ref': BLOCK },
    { 'labels.$ref.block_document_id': 'b' },
  ])('are an object in which nothing is hidden, unlike %j', (variables) => {
    expect(labelProblem(variables, 'job_variables')).toMatch(/would hide them/);
  });

  it.each<JsonValue>([
    { labels: { team: 'a', 'app.kubernetes.io/name': 'prefect.io/flow-run-id', 'example.com/prefect.io': 'x', 'my team/name': 'x', 'prefect.io': 'x' } },
    { labels: { 'notprefect.io/x': 'y', 'prefect.iox/x': 'y', flow_run_id: 'x', 'kubernetes.io/prefect': 'x' } },
    { labels: null, 'labels.team': 'a', annotations: { [RUN]: 'x' }, node_selector: { [RUN]: 'x' } },
    { labels: {} },
    {},
    null,
    'x',
  ])('twin: authors give others: %j', (variables) => {
    expect(labelProblem(variables, 'job_variables')).toBeUndefined();
  });
});

describe("labels in a pool's template", () => {
  it.each<JsonValue>([
    template({ labels: { [RUN]: 'x' } }),
    template({ job_manifest: { metadata: { labels: { [RUN]: '{{ other }}' } } } }),
    template({ job_manifest: { spec: { template: { metadata: { labels: { 'prefect.io/flow-id': 'x' } } } } } }),
    template({}, { default: { [RUN]: 'x' } }),
    template({}, { default: { $ref: BLOCK } }),
    template({}, { default: '{{ prefect.variables.labels }}' }),
    template({ labels: '{{ prefect.blocks.json.labels }}' }),
    template({ labels: '{{ pod_labels }}' }),
    template({ job_manifest: { metadata: { labels: '{{ pod_labels }}' } } }),
    template({ job_manifest: { spec: { template: { metadata: { labels: '{{ pod_labels }}' } } } } }),
    template({ job_manifest: { metadata: '{{ meta }}' } }),
    template({ job_manifest: { spec: { template: { metadata: { $ref: BLOCK } } } } }),
    template({ job_manifest: '{{ job_manifest }}' }),
    template({ job_manifest: { $ref: BLOCK } }),
    template({ labels: '{{ labels }}{{ more }}' }),
    template({ job_manifest: { metadata: { labels: { $ref: BLOCK } } } }),
  ])('are refused where they are the worker alone: %j', (given) => {
    expect(labelProblemOf(given, 'base_job_template')).toBeDefined();
  });

  it.each<JsonValue>([
    template({ labels: '{{ labels }}', job_manifest: { metadata: { labels: '{{ labels }}' } } }, { type: 'object', additionalProperties: { type: 'string' } }),
    template(
      { labels: { team: 'a' }, job_manifest: { spec: { affinity: { matchLabels: { 'prefect.io/work-pool-name': 'x' } } } } },
      { default: { team: 'a' } },
    ),
    template({ labels: null }, { default: null }),
    'no template',
  ])('twin: are the authors in %j', (given) => {
    expect(labelProblemOf(given, 'base_job_template')).toBeUndefined();
  });
});
