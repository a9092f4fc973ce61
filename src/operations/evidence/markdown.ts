// The report as Markdown.
import { printable } from '../../contract/printable.ts';
import { supportsWords } from './controls.ts';
import type { Block, Document, Section, Tone } from './document.ts';

export function renderMarkdown({ title, subtitle, facts, tiles, sections }: Document): string {
  return [
    `# ${text(title)}`,
    text(subtitle),
    facts.map(([label, value]) => `- **${text(label)}**: ${text(value)}`).join('\n'),
    tableOf(
      ['', '', ''],
      tiles.map(({ label, value, detail }) => [label, value, detail]),
    ),
    ...sections.map((section, index) => renderSection(section, index + 1)),
    '',
  ].join('\n\n');
}

function renderSection({ title, supports, lead, blocks }: Section, number: number): string {
  const words = supports === null ? [] : [`*${text(supportsWords(supports))}*`];
  return [`## ${number}. ${text(title)}`, ...words, text(lead), ...blocks.map(renderBlock)].join('\n\n');
}

const TONES: Readonly<Record<Tone, string>> = { plain: 'Note', good: 'OK', warn: 'Look at', bad: 'FAIL' };

function renderBlock(block: Block): string {
  switch (block.kind) {
    case 'text':
      return text(block.text);
    case 'note':
      return `> **${TONES[block.tone]}**: ${text(block.text)}`;
    case 'facts':
      return block.rows.map(([label, value]) => `- **${text(label)}**: ${text(value)}`).join('\n');
    case 'table':
      return block.rows.length === 0 ? text(block.empty) : tableOf(block.head, block.rows);
    case 'code':
      return `${text(block.title)}:\n\n${fenced(block.text)}`;
    case 'days':
      return tableOf(
        ['Day', 'Allowed', 'Denied'],
        block.days.map(({ day, allowed, denied }) => [day, String(allowed), String(denied)]),
      );
  }
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(text).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** The only way from data to Markdown: escapes all marks and line breaks. */
export function text(value: string): string {
  return printable(value).replace(/[\\`*_{}[\]<>#|~&]/g, (mark) => `\\${mark}`);
}

/** Longer than any row of backticks inside. */
function fenced(code: string): string {
  const longest = Math.max(2, ...[...code.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const lines = code.replaceAll('\t', '    ').split('\n').map(printable).join('\n');
  return `${fence}diff\n${lines.trimEnd()}\n${fence}`;
}
