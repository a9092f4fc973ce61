// The names that the gateway knows, for the editor.
import { answerOf, api } from '../../api/client.ts';
import type { Name, Names } from './completion.ts';

/** Only for readers who may see all principals: the API denies them to others. */
export const knownNames: Names = async ({ kind, typed }) => {
  if (kind === 'Principal') return principals(typed);
  const { actions, groups, roles } = await catalogue();
  return kind === 'Role' ? roles : [...groups, ...actions];
};

const MOST = 50;

async function principals(q: string): Promise<readonly Name[]> {
  const pages = await Promise.all(
    (['user', 'service', 'agent'] as const).map((kind) => answerOf(api.GET('/principals', { params: { query: { kind, q, limit: MOST } } }))),
  );
  return pages.flatMap((page) => page.principals.map(({ id }) => ({ label: id })));
}

interface Catalogue {
  readonly actions: readonly Name[];
  readonly groups: readonly Name[];
  readonly roles: readonly Name[];
}

let asked: Promise<Catalogue> | undefined;

/** It changes with the version of the gateway only. */
function catalogue(): Promise<Catalogue> {
  asked ??= readCatalogue().catch((error: unknown) => {
    asked = undefined;
    throw error;
  });
  return asked;
}

async function readCatalogue(): Promise<Catalogue> {
  const { columns, rows } = await answerOf(api.GET('/access/matrix', { params: { query: { rows: 'roles' } } }));
  return {
    actions: columns.map(({ action, group }) => ({ label: action, detail: group })),
    groups: [...new Set(columns.map(({ group }) => group))].map((group) => ({ label: group, detail: 'group of actions' })),
    roles: rows.map(({ id }) => ({ label: id.replace(/^role:/, '') })),
  };
}
