import { describe, expect, it } from 'vitest';
import { leadsOut } from './remote-schema.ts';

const inside = { properties: { x: { $ref: '#/$defs/X' } }, $defs: { X: { type: 'string' } } };

describe('a schema that leads out of itself', () => {
  it.each([
    { $ref: 'http://169.254.169.254/latest/meta-data/' },
    { $ref: 'file:///etc/passwd' },
    { $ref: ' http://10.0.0.1/' },
    { $ref: '' },
    { $ref: 'other.json' },
    { $dynamicRef: 'http://10.0.0.1/' },
    { $recursiveRef: 'http://10.0.0.1/' },
    { properties: { x: { items: [{ anyOf: [{ $ref: 'http://10.0.0.1/' }] }] } } },
    { $ref: '#/properties/x/default', properties: { x: { default: { $ref: 'http://10.0.0.1/' } } } },
    { ...inside, $id: 'http://10.0.0.1/' },
    { properties: { x: { $schema: 'http://json-schema.org/draft-04/schema#', $id: 'http://10.0.0.1/', properties: { y: { $ref: '#/z' } } } } },
    { $schema: 'http://json-schema.org/draft-04/schema#', id: 'http://10.0.0.1/', $ref: '#/z' },
  ])('%j', (schema) => expect(leadsOut(schema)).toBe(true));
});

describe('twin: one that stays inside', () => {
  it.each([
    undefined,
    null,
    {},
    inside,
    { ...inside, $id: 'params' },
    { definitions: { A: { $ref: '#/definitions/a:b' } } },
    { properties: { $ref: { type: 'string' }, $id: { type: 'string' }, id: { default: 'urn:x' } } },
    { properties: { x: { default: { id: 'http://example.com', $ref: { block_document_id: '11111111-2222-3333-4444-555555555555' } } } } },
    { $schema: 'https://json-schema.org/draft/2020-12/schema', properties: { x: { examples: [{ id: 'a:b' }] } } },
  ])('%j', (schema) => expect(leadsOut(schema)).toBe(false));
});
