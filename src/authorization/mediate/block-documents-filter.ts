// POST /block_documents/filter: one boolean in the body turns a list into a list of secrets.

import { field, isObject } from '../../contract/json/tree.ts';
import { type Family, invalid, MEBIBYTE, ownResource, planned } from './family.ts';

export const blockDocumentsFilter: Family = {
  operations: ['read_block_documents_block_documents_filter_post'],
  maxBytes: MEBIBYTE,
  plan(call) {
    const body = call.tree;
    if (body !== undefined && !isObject(body)) return invalid('The body must be a JSON object.');
    const secrets = field(body, 'include_secrets') ?? false;
    if (typeof secrets !== 'boolean') return invalid('include_secrets must be true or false.');
    const action = secrets ? 'blocks.read_secrets' : call.operation.action;
    return planned({ asks: [{ action, resource: ownResource(call), facts: { include_secrets: secrets } }], intent: secrets, rewrite: () => body });
  },
};
