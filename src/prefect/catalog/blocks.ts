// Blocks: types, schemas, capabilities, documents. `include_secrets` turns blocks.read into blocks.read_secrets.

import { family } from './family.ts';

const SECRETS = ['include_secrets'];

export const BLOCK_TYPES = family({ prefix: '/api', resource: 'BlockType', ids: ['id', 'slug'] }, [
  ['create_block_type', 'POST /block_types/', 'blocks.schema.write', 'configure', 'mediated'],
  ['read_block_type_by_id', 'GET /block_types/{id:uuid}', 'blocks.schema.read', 'read', 'direct'],
  ['read_block_type_by_slug', 'GET /block_types/slug/{slug}', 'blocks.schema.read', 'read', 'direct'],
  ['read_block_types', 'POST /block_types/filter', 'blocks.schema.read', 'read', 'direct'],
  ['update_block_type', 'PATCH /block_types/{id:uuid}', 'blocks.schema.write', 'configure', 'mediated'],
  ['delete_block_type', 'DELETE /block_types/{id:uuid}', 'blocks.schema.delete', 'admin', 'mediated'],
  [
    'read_block_documents_for_block_type',
    'GET /block_types/slug/{slug}/block_documents',
    'blocks.read',
    'read',
    'direct',
    { resource: 'BlockDocument', id: null, query: SECRETS },
  ],
  [
    'read_block_document_by_name_for_block_type',
    'GET /block_types/slug/{slug}/block_documents/name/{block_document_name}',
    'blocks.read',
    'read',
    'direct',
    { resource: 'BlockDocument', id: 'block_document_name', query: SECRETS },
  ],
  ['install_system_block_types', 'POST /block_types/install_system_block_types', 'blocks.schema.install', 'admin', 'mediated'],
]);

/** Schemas belong to a type; the ids in these paths are the schemas' own. */
export const BLOCK_SCHEMAS = family({ prefix: '/api', resource: 'BlockType', ids: [] }, [
  ['create_block_schema', 'POST /block_schemas/', 'blocks.schema.write', 'configure', 'mediated'],
  ['delete_block_schema', 'DELETE /block_schemas/{id:uuid}', 'blocks.schema.delete', 'admin', 'mediated'],
  ['read_block_schemas', 'POST /block_schemas/filter', 'blocks.schema.read', 'read', 'direct'],
  ['read_block_schema_by_id', 'GET /block_schemas/{id:uuid}', 'blocks.schema.read', 'read', 'direct'],
  ['read_block_schema_by_checksum', 'GET /block_schemas/checksum/{checksum}', 'blocks.schema.read', 'read', 'direct'],
  ['read_available_block_capabilities', 'GET /block_capabilities/', 'blocks.schema.read', 'read', 'direct'],
]);

export const BLOCK_DOCUMENTS = family({ prefix: '/api', resource: 'BlockDocument', ids: ['id'] }, [
  ['create_block_document', 'POST /block_documents/', 'blocks.write', 'configure', 'mediated'],
  ['read_block_documents', 'POST /block_documents/filter', 'blocks.read', 'read', 'mediated'],
  ['count_block_documents', 'POST /block_documents/count', 'blocks.read', 'read', 'direct'],
  ['read_block_document_by_id', 'GET /block_documents/{id:uuid}', 'blocks.read', 'read', 'direct', { query: SECRETS }],
  ['delete_block_document', 'DELETE /block_documents/{id:uuid}', 'blocks.delete', 'configure', 'mediated'],
  ['update_block_document_data', 'PATCH /block_documents/{id:uuid}', 'blocks.write', 'configure', 'mediated'],
]);
