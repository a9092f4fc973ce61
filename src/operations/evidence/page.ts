// The report as one HTML file for screen and paper: no script, no external resource, no invisible or direction-changing character.
import { createHash } from 'node:crypto';
import { printable } from '../../contract/printable.ts';
import { type Html, html, NOTHING } from '../../edge/http/html.ts';
import type { Supports } from './controls.ts';
import type { Block, Document, Section, Table, Tile } from './document.ts';
import { REPORT_STYLE } from './page-style.ts';

export function renderReport({ title, subtitle, facts, tiles, sections }: Document): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${createHash('sha256').update(REPORT_STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'">
<title>${printable(title)} - ${printable(subtitle)}</title>
<style>${{ html: REPORT_STYLE }}</style>
</head>
<body>
<header>
<div class="brand">${MARK}<span>Lictor</span></div>
<h1>${printable(title)}</h1>
<p class="subtitle">${printable(subtitle)}</p>
${factList(facts)}
<div class="tiles">${tiles.map(renderTile)}</div>
<nav aria-label="Sections"><ol>${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ol></nav>
</header>
<main>
${sections.map(renderSection)}
</main>
<footer>Made by Lictor. This report supports evidence for the criteria and controls that it names. It does not state that they are met.</footer>
</body>
</html>
`.html;
}

function renderTile({ label, value, detail, tone }: Tile): Html {
  return html`<div class="tile ${tone}"><span class="label">${printable(label)}</span><strong>${printable(value)}</strong><span class="detail">${printable(detail)}</span></div>`;
}

function renderSection({ id, title, supports, lead, blocks }: Section, index: number): Html {
  return html`<section id="${id}">
<h2><span class="number">${String(index + 1)}</span>${printable(title)}</h2>
${supports === null ? NOTHING : chips(supports)}
<p class="lead">${printable(lead)}</p>
${blocks.map(renderBlock)}
</section>
`;
}

function chips({ soc2, iso }: Supports): Html {
  const chip = (kind: string) => (name: string) => html`<li class="${kind}">${name}</li>`;
  return html`<div class="supports"><span>Supports evidence for</span><ul><li class="of">SOC 2</li>${soc2.map(chip('soc2'))}<li class="of">ISO/IEC 27001:2022</li>${iso.map((control) => chip('iso')(`A.${control}`))}</ul></div>`;
}

function renderBlock(block: Block): Html {
  switch (block.kind) {
    case 'text':
      return html`<p>${printable(block.text)}</p>`;
    case 'note':
      return html`<p class="note ${block.tone}">${printable(block.text)}</p>`;
    case 'facts':
      return factList(block.rows);
    case 'table':
      return renderTable(block);
    case 'code':
      return html`<figure><figcaption>${printable(block.title)}</figcaption><pre>${diffLines(block.text)}</pre></figure>`;
    case 'days':
      return daysChart(block.days);
  }
}

function factList(rows: readonly (readonly [string, string])[]): Html {
  return html`<dl>${rows.map(([label, value]) => html`<div><dt>${printable(label)}</dt><dd>${printable(value)}</dd></div>`)}</dl>`;
}

function renderTable({ head, rows, empty, numbers = [], dense }: Table): Html {
  if (rows.length === 0) return html`<p class="empty">${printable(empty)}</p>`;
  const shape = dense === true ? 'dense' : head.length < 3 ? 'narrow' : '';
  const kind = (column: number) => (numbers.includes(column) ? 'number' : '');
  return html`<div class="wide"><table class="${shape}"><thead><tr>${head.map((cell, column) => html`<th scope="col" class="${kind(column)}">${printable(cell)}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, column) => html`<td class="${kind(column)}${cellClass(cell)}">${printable(cell)}</td>`)}</tr>`)}</tbody></table></div>`;
}

const LONGEST_WORD = 30;

/** Classes for marked words, for times, which stay on one line, and for long words. */
function cellClass(cell: string): string {
  if (/^\d{4}-\d\d-\d\d(?: [\d:]+)?$/.test(cell)) return cell.includes(' ') ? ' is-time' : ' is-day';
  if (cell.split(/[\s-]/).some((word) => word.length > LONGEST_WORD)) return ' is-long';
  if (cell === 'yes' || cell === 'live' || cell === 'this one') return ' is-yes';
  if (cell === 'in part') return ' is-part';
  if (['locked', 'revoked', 'expired'].includes(cell)) return ' is-out';
  return cell === '-' ? ' is-none' : '';
}

function diffLines(text: string): readonly Html[] {
  return text.split('\n').map((line) => html`<span class="${lineClass(line)}">${printable(line.replaceAll('\t', '    '))}</span>\n`);
}

function lineClass(line: string): string {
  if (line.startsWith('+') && !line.startsWith('+++')) return 'added';
  return line.startsWith('-') && !line.startsWith('---') ? 'removed' : 'same';
}

const CHART = { width: 720, height: 84 };

/** One bar a day: all requests, with the denied ones below. Every element has a class, because the page has no style attributes. */
function daysChart(days: Extract<Block, { kind: 'days' }>['days']): Html {
  if (days.length < 2) return NOTHING;
  const most = Math.max(1, ...days.map(({ allowed, denied }) => allowed + denied));
  const step = CHART.width / days.length;
  const bar = (index: number, from: number, to: number, kind: string): Html => {
    const [top, bottom] = [to, from].map((value) => CHART.height * (1 - value / most));
    const sizes = [index * step + step * 0.1, top ?? 0, step * 0.8, Math.max(0, (bottom ?? 0) - (top ?? 0))].map((size) => size.toFixed(2));
    return html`<rect class="${kind}" x="${sizes[0] ?? ''}" y="${sizes[1] ?? ''}" width="${sizes[2] ?? ''}" height="${sizes[3] ?? ''}"/>`;
  };
  const bars = days.flatMap(({ allowed, denied }, index) => [bar(index, 0, denied, 'denied'), bar(index, denied, denied + allowed, 'allowed')]);
  const words = `Requests a day, ${days[0]?.day ?? ''} to ${days.at(-1)?.day ?? ''}; at most ${most.toLocaleString('en')} on one day. Below, darker: denied requests.`;
  return html`<figure class="chart"><svg viewBox="0 0 ${String(CHART.width)} ${String(CHART.height)}" preserveAspectRatio="none" role="img" aria-label="${words}">${bars}</svg><figcaption>${words}</figcaption></figure>`;
}

const MARK = html`<svg width="22" height="22" viewBox="0 0 26 26" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" aria-hidden="true"><path d="M3 23V12a10 10 0 0 1 20 0v11"/><path d="M8.5 23V12.5a4.5 4.5 0 0 1 9 0V23"/><path d="M1.5 23h23"/></svg>`;
