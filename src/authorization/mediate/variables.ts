// Writing variables needs the right on the old and on the new name. Where the variable replaces a parameter, Prefect fills in the variables
// and blocks that its value names. So writing such a value counts as reading those.

import { field } from '../../contract/json/tree.ts';
import type { Ask, AskObject } from '../decide/asks.ts';
import { storedBlockAsks } from './block-references.ts';
import { createdObject } from './default-handler.ts';
import { type Handler, invalid, MEBIBYTE, ownAsk, planned, withObject } from './handler.ts';
import { distinctAsks, storedAsks } from './template-references.ts';

export const writeVariable: Handler = {
  operations: ['create_variable_variables__post', 'update_variable_variables__id__patch', 'update_variable_by_name_variables_name__name__patch'],
  maxBytes: MEBIBYTE,
  plan: withObject((call, body) => {
    const name = field(body, 'name') ?? null;
    if (name !== null && typeof name !== 'string') return invalid('name must be text.');
    const { action, idParam } = call.operation;
    const changes = Object.fromEntries(Object.entries(body).filter(([key, value]) => (key === 'name' || key === 'tags') && value !== null));
    const old: readonly Ask[] = idParam === null ? [] : [{ ...ownAsk(call), facts: { renames: name !== null }, on: { kind: 'resource', changes } }];
    // For a change, the ask on the old name covers the new values.
    const on: AskObject = idParam === null ? { kind: 'created', fields: changes } : { kind: 'shared' };
    const renamed: readonly Ask[] = name === null ? [] : [{ action, resource: { type: 'Variable', id: name, named: true }, on }];
    return planned({
      asks: distinctAsks([...old, ...renamed, ...storedAsks(field(body, 'value')), ...storedBlockAsks(field(body, 'value'))]),
      outcome: (answer) => createdObject(call, answer),
    });
  }),
};
