// Writing variables: the right is asked for on the old and on the new name. A value that names other variables for
// Prefect to fill in, where this one stands for a parameter, is a read of those, and of the blocks that it names.

import { field, isObject } from '../../contract/json/tree.ts';
import type { Ask, AskObject } from '../decide/asks.ts';
import { type Family, invalid, MEBIBYTE, ownResource, planned } from './family.ts';
import { createdObject } from './generic.ts';
import { storedBlockAsks } from './parameter-blocks.ts';
import { distinctAsks, storedAsks } from './references.ts';

export const writeVariable: Family = {
  operations: ['create_variable_variables__post', 'update_variable_variables__id__patch', 'update_variable_by_name_variables_name__name__patch'],
  maxBytes: MEBIBYTE,
  plan(call) {
    const body = call.tree;
    if (!isObject(body)) return invalid('A variable must be described by a JSON object.');
    const name = field(body, 'name') ?? null;
    if (name !== null && typeof name !== 'string') return invalid('name must be text.');
    const { action, idParam } = call.operation;
    const changes = Object.fromEntries(Object.entries(body).filter(([key, value]) => (key === 'name' || key === 'tags') && value !== null));
    const old: readonly Ask[] =
      idParam === null ? [] : [{ action, resource: ownResource(call), facts: { renames: name !== null }, on: { kind: 'resource', changes } }];
    // With the name alone what it will be is looked at above.
    const on: AskObject = idParam === null ? { kind: 'created', fields: changes } : { kind: 'shared' };
    const renamed: readonly Ask[] = name === null ? [] : [{ action, resource: { type: 'Variable', id: name, named: true }, on }];
    return planned({
      asks: distinctAsks([...old, ...renamed, ...storedAsks(field(body, 'value')), ...storedBlockAsks(field(body, 'value'))]),
      intent: true,
      rewrite: () => body,
      outcome: (answer) => createdObject(call, answer),
    });
  },
};
