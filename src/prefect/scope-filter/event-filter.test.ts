import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../contract/json/tree.ts';
import { readEventFilter } from './event-filter.ts';

const RUN = 'prefect.flow-run.1';
const event = {
  resource: { 'prefect.resource.id': RUN, 'prefect.resource.name': 'nightly' },
  related: [
    { 'prefect.resource.id': 'prefect.tag.team-a', 'prefect.resource.role': 'tag' },
    { 'prefect.resource.id': 'prefect.flow.2', 'prefect.resource.role': 'flow', 'prefect.resource.name': 'Load' },
  ],
};

function fits(filter: JsonObject): boolean {
  const read = readEventFilter(filter);
  if (!read.ok) throw new Error(read.refusal.detail);
  return read.fits(event);
}

function refusal(filter: JsonObject): string {
  const read = readEventFilter(filter);
  return read.ok ? 'ok' : `${read.refusal.code} ${read.refusal.detail}`;
}

describe('the filter of events', () => {
  it.each<JsonObject>([
    {},
    { occurred: { since: 'x', until: 'y' }, event: { prefix: ['a'] }, id: { id: null }, order: 'ASC', related: null, any_resource: null, text: null },
    { any_resource: { id: [RUN] } },
    { any_resource: { id_prefix: ['prefect.flow-'] } },
    { any_resource: [{ id: [RUN] }, { id: ['prefect.flow.2'] }] },
    { any_resource: { labels: { 'prefect.resource.name': 'night*' } } },
    { related: { id: ['prefect.flow.2'], role: ['flow'] } },
    { related: { resources_in_roles: [['prefect.flow.2', 'flow']] } },
    { related: { labels: { 'prefect.resource.role': ['tag'] } } },
    { related: { labels: { 'prefect.resource.name': ['!x*'] } } },
    { related: {}, resource: { distinct: false, id: ['other'] } },
  ])('%j fits what is shown', (filter) => expect(fits(filter)).toBe(true));

  it.each<JsonObject>([
    { any_resource: { id: ['prefect.flow-run.2'] } },
    { any_resource: { id_prefix: ['prefect.automation'] } },
    { any_resource: [{ id: [RUN] }, { id: ['prefect.flow.3'] }] },
    // Both of one resource.
    { related: { id: ['prefect.flow.2'], role: ['tag'] } },
    { related: { id: [RUN] } },
    { related: { resources_in_roles: [['prefect.flow.2', 'tag']] } },
    { related: { labels: { 'prefect.resource.name': ['load'] } } },
    { related: { labels: { 'prefect.resource.name': ['!load'] } } },
    { related: { labels: { 'prefect.resource.role': ['creator'] } } },
    { related: { labels: { other: ['!x'] } } },
    { related: { labels: { 'prefect.resource.name': [] } } },
  ])('%j does not', (filter) => expect(fits(filter)).toBe(false));

  it('is refused for hidden fields, and for unknown fields', () => {
    expect(refusal({ text: { query: 'x' } })).toMatch(/^filter-hidden .*filter\.text\.query/);
    expect(refusal({ resource: { distinct: true } })).toMatch(/^filter-hidden .*resource\.distinct/);
    expect(refusal({ related: [{ id: ['x'] }, { newer: ['x'] }] })).toMatch(/^filter-hidden .*related\.newer/);
    expect(refusal({ newer: 'x' })).toMatch(/^filter-hidden/);
    expect(refusal({ newer: ['x'] })).toMatch(/^filter-hidden/);
  });

  it('is refused with patterns that databases read in different ways, and with too many', () => {
    for (const pattern of ['a?', 'a[b]', 'a\\b']) expect(refusal({ related: { labels: { name: [pattern] } } })).toMatch(/^scope-filter/);
    expect(refusal({ any_resource: { id_prefix: ['a\\'] } })).toMatch(/^scope-filter/);
    expect(refusal({ any_resource: { id_prefix: Array.from({ length: 201 }, () => 'a') } })).toMatch(/^scope-filter/);
    expect(refusal({ any_resource: { id_prefix: Array.from({ length: 200 }, () => 'a') } })).toBe('ok');
  });
});
