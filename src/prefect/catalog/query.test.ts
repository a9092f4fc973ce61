import { describe, expect, it } from 'vitest';
import { createCatalogue } from './catalogue.ts';
import { actionFor } from './query.ts';

const catalogue = createCatalogue();
const id = '01234567-89ab-cdef-0123-456789abcdef';

function action(path: string, query: string): string {
  const found = catalogue.match('GET', path);
  if (found === undefined) throw new Error(`no entry for ${path}`);
  return actionFor(found.operation, query);
}

describe('include_secrets', () => {
  const paths = [`/api/block_documents/${id}`, '/api/block_types/slug/secret/block_documents', '/api/block_types/slug/secret/block_documents/name/db'];

  it.each(paths)('%s reads secrets for every word that pydantic takes as true', (path) => {
    for (const word of ['1', 't', 'T', 'true', 'TRUE', 'y', 'YES', 'on', 'On']) {
      expect(action(path, `include_secrets=${word}`)).toBe('blocks.read_secrets');
      expect(action(path, `a=b&include_secrets=${word}&c`)).toBe('blocks.read_secrets');
    }
  });

  it.each(paths)('%s reads no secrets without it, or with a false word', (path) => {
    for (const query of ['', 'a=b', 'include_secret=1', 'Include_Secrets=1', 'include_secrets=0', 'include_secrets=False', 'include_secrets=NO']) {
      expect(action(path, query)).toBe('blocks.read');
    }
  });

  it.each([
    'include_secrets=true&include_secrets=false',
    'include_secrets=false&include_secrets=true',
    'include%5Fsecrets=on',
    '%69nclude_secrets=false',
    'x=1&include_secrets%=1',
    'include_secrets%ff=1',
    'include_secrets=%74rue',
    'include_secrets=+true',
    'include_secrets=',
    'include_secrets',
    'include_secrets=2',
    'include_secrets=trueish',
    'include_secrets=false;include_secrets=true',
  ])('refuses %s', (query) => {
    expect(action(paths[0] ?? '', query)).toBe('query-invalid');
  });

  it('does not look at escapes in other names and values', () => {
    expect(action(paths[0] ?? '', 'na%6De=x%20y&include_secrets=true')).toBe('blocks.read_secrets');
  });
});

describe('other deciding parameters', () => {
  it('takes a plain id once, and refuses it encoded or twice', () => {
    expect(action('/api/flow_run_states/', `flow_run_id=${id}`)).toBe('flow_runs.read');
    expect(action('/api/task_run_states', `task_run_id=${id}`)).toBe('task_runs.read');
    expect(action('/api/flow_run_states/', `flow_run_id=${id.replace('0', '%30')}`)).toBe('query-invalid');
    expect(action('/api/flow_run_states/', `flow%5Frun_id=${id}`)).toBe('query-invalid');
    expect(action('/api/flow_run_states/', `flow_run_id=${id}&flow_run_id=${id}`)).toBe('query-invalid');
  });

  it('takes an encoded page token, but only one', () => {
    expect(action('/api/events/filter/next', 'page-token=abc%3D%3D')).toBe('events.read');
    expect(action('/api/events/filter/next', 'page-token=a&page-token=b')).toBe('query-invalid');
    expect(action('/api/events/filter/next', 'page%2Dtoken=a')).toBe('query-invalid');
  });

  it('leaves the query of other operations alone', () => {
    expect(action(`/api/flows/${id}`, 'include_secrets=true&include_secrets=%')).toBe('flows.read');
  });
});
