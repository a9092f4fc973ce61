// `npm run docs`: generates parts of docs/ from the code. Text above the mark is hand-written.
import { readFileSync, writeFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { createEngineOfChecked } from '../authorization/policy/engine.ts';
import { renderRightsTable } from '../authorization/policy/rights.ts';
import { renderRolesTable } from '../authorization/policy/table.ts';
import { renderKeysTable } from '../config/schema/keys-table.ts';
import { REASONS } from '../contract/reasons.ts';
import { openApiDocument } from '../edge/http/api/openapi.ts';
import { API_ROUTES } from '../edge/http/api/routes.ts';
import { TOOLS } from '../edge/mcp/tools/index.ts';
import { collectActions } from '../prefect/catalog/actions.ts';
import { OPERATIONS } from '../prefect/catalog/catalogue.ts';
import { documentedProgram } from './main.ts';

export interface Doc {
  readonly file: URL;
  /** The whole generated file. */
  readonly text: string;
}

/** The width of the help texts, in columns. */
const WIDTH = 120;

export const MARK = '<!-- Made from the code: npm run docs -->';

export async function renderDocs(): Promise<readonly Doc[]> {
  const nobody = new PassThrough();
  const program = await documentedProgram({ out: nobody, err: nobody });
  const actions = collectActions(OPERATIONS);
  const engine = createEngineOfChecked({ actions, revision: 0 });
  return [
    renderDoc('reference/commands.md', renderCommands(program)),
    renderDoc('reference/configuration.md', renderKeysTable()),
    renderDoc('reference/errors.md', renderReasonsTable()),
    renderDoc('reference/mcp.md', renderTools()),
    renderDoc('reference/rights.md', renderRightsTable({ engine, actions }, OPERATIONS)),
    renderDoc('reference/roles.md', renderRolesTable(engine, actions)),
    { file: docFile('reference/openapi.json'), text: `${JSON.stringify(openApiDocument(API_ROUTES), null, 2)}\n` },
  ];
}

function renderDoc(name: string, made: string): Doc {
  const file = docFile(name);
  const head = readFileSync(file, 'utf8').split(MARK, 1)[0] ?? '';
  return { file, text: `${head}${MARK}\n\n${made.trimEnd()}\n` };
}

function docFile(name: string): URL {
  return new URL(`../../docs/${name}`, import.meta.url);
}

/** Rows `code | status | detail | hint`, in the order of the list. Reasons of an allow are no errors. */
function renderReasonsTable(): string {
  const rows = Object.entries(REASONS)
    .filter(([, text]) => text.status >= 400)
    .map(([code, { status, detail, hint }]) => `| \`${code}\` | ${status} | ${detail} | ${hint === '' ? '-' : hint.replaceAll('|', '\\|')} |`);
  return ['| code | status | says | remedy |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** Rows `tool | needs | arguments | does`, in the order in which clients see them. */
function renderTools(): string {
  const rows = TOOLS.map(({ definition: { name, description, inputSchema }, needs }) => {
    const given = Object.keys(Object(inputSchema['properties'])).map((argument) => `\`${argument}\``);
    return `| \`${name}\` | ${needs === null ? '-' : needs.action} | ${given.join(', ') || '-'} | ${description} |`;
  });
  return ['| tool | needs | arguments | does |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

/** The printed help of every command, with subcommands after their parent. */
function renderCommands(program: Command): string {
  const commands = program.commands.filter((command) => command.name() !== 'help');
  return commands.map((command) => renderCommand(program, command, [command.name()])).join('\n');
}

function renderCommand(program: Command, command: Command, words: readonly string[]): string {
  const heading = `${'#'.repeat(words.length + 1)} lictor ${words.join(' ')}`;
  const children = command.commands.filter((child) => child.name() !== 'help').map((child) => renderCommand(program, child, [...words, child.name()]));
  return [heading, '', '```text', helpOf(program, command), '```', '', ...children].join('\n');
}

/** All commands of a program share its streams. */
function helpOf(program: Command, command: Command): string {
  let text = '';
  for (const each of [program, command]) {
    each.configureOutput({ writeOut: (words) => (text += words), getOutHelpWidth: () => WIDTH, getOutHasColors: () => false });
  }
  command.outputHelp();
  return text.trimEnd();
}

if (import.meta.main) for (const { file, text } of await renderDocs()) writeFileSync(file, text);
