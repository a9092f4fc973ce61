// The table of keys for docs/reference/configuration.md, rendered from the schema.
import { isRecord } from '../expand.ts';
import { restartReason } from '../restart-keys.ts';
import { jsonSchema } from './index.ts';
import { type SchemaKey, schemaKeys } from './keys.ts';

/** Markdown, a section for each key of the first level, in the order of the schema. */
export function renderKeysTable(): string {
  const keys = schemaKeys(jsonSchema());
  const sections = [...new Set(keys.map(({ place }) => sectionOf(place)))];
  return sections.map((section) => renderSection(keys.filter(({ place }) => sectionOf(place) === section))).join('\n');
}

function sectionOf(place: string): string {
  return /^[a-z_]+/.exec(place)?.[0] ?? place;
}

function renderSection(keys: readonly SchemaKey[]): string {
  const name = sectionOf(keys[0]?.place ?? '');
  return [`### ${name}`, '', '| key | is | default | |', '| --- | --- | --- | --- |', ...keys.map(renderRow), ''].join('\n');
}

function renderRow({ place, node, isRequired }: SchemaKey): string {
  const fallback = node['default'];
  const shown = fallback === undefined || isRecord(fallback) ? (isRequired ? 'required' : '') : `\`${JSON.stringify(fallback)}\``;
  return `| \`${place}\` | ${kindOf(node)} | ${shown} | ${cell([String(node['description'] ?? ''), ...notes(place)].join(' '))} |`;
}

function notes(place: string): readonly string[] {
  const because = restartReason(place);
  return because === undefined ? [] : [`**Needs a restart**: ${because}.`];
}

/** In words. Only the schema has every detail. */
function kindOf(node: Record<string, unknown>): string {
  const { type, items } = node;
  const choices = node['enum'];
  if (Array.isArray(choices)) return choices.map((choice) => `\`${String(choice)}\``).join(', ');
  if (node['const'] !== undefined) return `\`${String(node['const'])}\``;
  if (type === 'array') return isRecord(items) && items['type'] === 'string' ? 'list of texts' : 'list';
  if (Array.isArray(node['anyOf'])) return [...new Set(node['anyOf'].filter(isRecord).map(kindOf))].join(' or ');
  return KINDS[String(type)] ?? 'any';
}

const KINDS: Readonly<Record<string, string>> = { string: 'text', boolean: '`true`, `false`', integer: 'number', object: 'map' };

function cell(text: string): string {
  return text.replaceAll('|', '\\|').trim();
}
