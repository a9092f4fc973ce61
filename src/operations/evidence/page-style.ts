// The report's style: light and dark on a screen, black on white on paper.

export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f5f6f9; --card: #ffffff; --line: #dde2ea; --stripe: #f8f9fc; --text: #18202c; --soft: #5a6576; --accent: #2457c5; --chip: #eaf0fc; --chip-text: #1d4499;
  --good: #176b3a; --good-page: #eaf6ee; --warn: #8a5a00; --warn-page: #fdf5e2; --bad: #a1201b; --bad-page: #fdf0ef;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #0e1319; --card: #161d26; --line: #2a3542; --stripe: #1a222c; --text: #e7edf4; --soft: #a0adbd; --accent: #7ba6ff; --chip: #1d2b45; --chip-text: #b5ccff;
    --good: #86d9a5; --good-page: #14291d; --warn: #f0c674; --warn-page: #2d2412; --bad: #ffb3ad; --bad-page: #351a1b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 76rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
.brand { display: flex; align-items: center; gap: .5rem; color: var(--accent); font-weight: 650; }
.brand span { color: var(--text); }
h1 { margin: 1.1rem 0 .1rem; font-size: 2rem; line-height: 1.2; letter-spacing: -.02em; font-weight: 680; }
.subtitle { margin: 0 0 1.25rem; color: var(--soft); font-size: 1.05rem; overflow-wrap: anywhere; }
h2 { margin: 0 0 .6rem; font-size: 1.25rem; line-height: 1.3; letter-spacing: -.01em; font-weight: 660; display: flex; gap: .7rem; align-items: baseline; }
h2 .number { color: var(--accent); font-variant-numeric: tabular-nums; min-width: 1.3rem; }
p { margin: 0 0 .9rem; max-width: 62rem; overflow-wrap: anywhere; }
.lead { color: var(--soft); }
dl { margin: 0 0 1.1rem; display: grid; gap: .3rem; }
dl div { display: grid; grid-template-columns: minmax(9rem, 15rem) 1fr; gap: 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1.5rem 0; }
.tile { padding: .85rem 1rem; background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 10px; display: flex; flex-direction: column; }
.tile strong { font-size: 1.6rem; line-height: 1.3; font-weight: 660; letter-spacing: -.01em; }
.tile .label, .tile .detail { color: var(--soft); font-size: .86rem; }
.tile.good { border-left-color: var(--good); } .tile.good strong { color: var(--good); }
.tile.warn { border-left-color: var(--warn); } .tile.warn strong { color: var(--warn); }
.tile.bad { border-left-color: var(--bad); } .tile.bad strong { color: var(--bad); }
nav ol { margin: 0; padding: 0 0 0 1.6rem; columns: 20rem; column-gap: 2rem; }
nav a { color: var(--accent); text-decoration: none; }
nav a:hover { text-decoration: underline; }
section { margin: 1.5rem 0 0; padding: 1.5rem; background: var(--card); border: 1px solid var(--line); border-radius: 14px; }
.supports { display: flex; flex-wrap: wrap; gap: .35rem .6rem; align-items: center; margin: 0 0 .9rem; font-size: .84rem; color: var(--soft); }
.supports ul { display: flex; flex-wrap: wrap; gap: .3rem; margin: 0; padding: 0; list-style: none; }
.supports li { padding: .05rem .5rem; border-radius: 999px; background: var(--chip); color: var(--chip-text); font-weight: 560; }
.supports li.of { background: none; color: var(--soft); padding: .05rem 0 .05rem .35rem; font-weight: 400; }
.note { padding: .55rem .85rem; border-left: 3px solid var(--line); background: var(--stripe); border-radius: 0 8px 8px 0; }
.note.good { color: var(--good); background: var(--good-page); border-color: var(--good); }
.note.warn { color: var(--warn); background: var(--warn-page); border-color: var(--warn); }
.note.bad { color: var(--bad); background: var(--bad-page); border-color: var(--bad); font-weight: 560; }
.empty { color: var(--soft); font-style: italic; }
.wide { overflow-x: auto; margin: 0 0 1.1rem; }
table { width: 100%; border-collapse: collapse; font-size: .87rem; line-height: 1.4; }
th { text-align: left; font-weight: 600; color: var(--soft); border-bottom: 1.5px solid var(--line); white-space: nowrap; vertical-align: bottom; }
th, td { padding: .4rem .9rem .4rem .3rem; }
td { border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; font-variant-numeric: tabular-nums; }
td.is-long { overflow-wrap: anywhere; min-width: 11rem; }
td.is-time, td.is-day { white-space: nowrap; }
table.narrow { width: auto; min-width: 24rem; }
tbody tr:nth-child(even) { background: var(--stripe); }
.number { text-align: right; }
td.is-yes { color: var(--good); } td.is-part { color: var(--warn); } td.is-out { color: var(--bad); } td.is-none { color: var(--soft); }
table.dense { font-size: .74rem; }
table.dense th, table.dense td { padding: .2rem .5rem .2rem .2rem; min-width: 0; }
table.dense td:first-child, table.dense td:nth-child(3) { font-family: ui-monospace, SFMono-Regular, Menlo, monospace; font-size: .7rem; min-width: 9rem; }
figure { margin: 0 0 1.1rem; }
figcaption { margin: 0 0 .35rem; color: var(--soft); font-size: .87rem; }
pre { margin: 0; padding: .8rem 1rem; background: var(--stripe); border: 1px solid var(--line); border-radius: 8px; font: .78rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
pre .added { color: var(--good); } pre .removed { color: var(--bad); } pre .same { color: var(--soft); }
.chart svg { display: block; width: 100%; height: 5.25rem; border-bottom: 1px solid var(--line); }
.chart figcaption { margin: .35rem 0 0; }
rect.allowed { fill: var(--accent); opacity: .38; }
rect.denied { fill: var(--bad); }
@media screen and (max-width: 40rem) {
  dl { gap: .7rem; }
  dl div { grid-template-columns: 1fr; gap: 0; }
}
footer { margin: 2rem 0 0; color: var(--soft); font-size: .85rem; }
@page { size: A4; margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #5a6576; } @bottom-left { content: "Lictor: access review and audit evidence"; font: 8pt sans-serif; color: #5a6576; } }
@media print {
  :root { --page: #fff; --card: #fff; --line: #c9cfd8; --stripe: #f6f7f9; --text: #000; --soft: #444c58; --accent: #1c479f; --chip: #eef2fa; }
  body { padding: 0; max-width: none; font-size: 9.5pt; }
  h1 { font-size: 20pt; } h2 { font-size: 13pt; }
  section { padding: 0; margin: 9mm 0 0; border: 0; border-radius: 0; }
  #coverage { break-before: page; }
  h2, .supports, .lead, figcaption { break-after: avoid; }
  tr, .note, .tile, dl div { break-inside: avoid; }
  .tiles { grid-template-columns: repeat(5, 1fr); gap: 2mm; }
  .tile { padding: 2mm 2.5mm; } .tile strong { font-size: 13pt; } .tile .label, .tile .detail { font-size: 7.5pt; }
  .wide { overflow: visible; }
  table { font-size: 8pt; } th, td { padding: 1mm 2mm 1mm .6mm; } td.is-long { min-width: 0; } td.is-time { white-space: normal; }
  table.dense { font-size: 6.4pt; } table.dense td:first-child, table.dense td:nth-child(3) { font-size: 5.8pt; min-width: 0; }
  pre { font-size: 7.5pt; }
  tbody tr:nth-child(even), .tile, .note, .supports li, rect, pre { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  nav a { color: inherit; } nav ol { columns: 2; }
  .supports, .supports ul { display: block; } .supports ul, .supports li { display: inline; } .supports { margin: 0 0 2mm; }
  dl div { grid-template-columns: 42mm 1fr; gap: 4mm; }
}
`;
