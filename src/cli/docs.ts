// `npm run docs`: the parts of docs/ that are made from the code. What stands above the mark is written by hand.
import { readFileSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { collectActions } from '../catalog/actions.ts';
import { OPERATIONS } from '../catalog/catalogue.ts';
import { renderKeysTable } from '../config/schema/keys-table.ts';
import { renderReasonsTable } from '../contract/reasons-table.ts';
import { createPolicyEngine } from '../policy/engine.ts';
import { renderRightsTable } from '../policy/rights.ts';
import { renderRolesTable } from '../policy/table.ts';
import { renderCommands } from './commands-doc.ts';
import { documentedProgram } from './main.ts';

export interface Doc {
  readonly file: URL;
  /** The whole file as it should be. */
  readonly text: string;
}

export const MARK = '<!-- Made from the code: npm run docs -->';

export async function renderDocs(): Promise<readonly Doc[]> {
  const nobody = new PassThrough();
  const program = await documentedProgram({ out: nobody, err: nobody });
  const actions = collectActions(OPERATIONS);
  const engine = createPolicyEngine({ actions, revision: 0 });
  return [
    renderDoc('reference/commands.md', renderCommands(program)),
    renderDoc('reference/configuration.md', renderKeysTable()),
    renderDoc('reference/errors.md', renderReasonsTable()),
    renderDoc('reference/rights.md', renderRightsTable({ engine, actions }, OPERATIONS)),
    renderDoc('reference/roles.md', renderRolesTable(engine, actions)),
  ];
}

function renderDoc(name: string, made: string): Doc {
  const file = new URL(`../../docs/${name}`, import.meta.url);
  const head = readFileSync(file, 'utf8').split(MARK, 1)[0] ?? '';
  return { file, text: `${head}${MARK}\n\n${made.trimEnd()}\n` };
}

if (import.meta.main) for (const { file, text } of await renderDocs()) writeFileSync(file, text);
