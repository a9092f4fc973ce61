// The style sheet of the gateway's pages, for nginx and the control plane. No font, image or script comes from elsewhere.

export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f3f5f8; --glow: #dfe7f5; --card: #ffffff; --line: #d8dee8; --text: #17202c; --soft: #566275;
  --accent: #2457c5; --accent-strong: #1c479f; --on-accent: #ffffff; --field: #ffffff; --field-line: #8391a7;
  --bad: #a1201b; --bad-page: #fdf0ef; --bad-line: #ecc2bf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e1319; --glow: #16233a; --card: #161d26; --line: #2a3542; --text: #e7edf4; --soft: #a0adbd;
    --accent: #7ba6ff; --accent-strong: #9bbcff; --on-accent: #0b1526; --field: #0f151c; --field-line: #5b6b80;
    --bad: #ffb3ad; --bad-page: #351a1b; --bad-line: #6a3333;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; padding: 2rem 1rem; display: flex; flex-direction: column; align-items: center; justify-content: center;
  background: radial-gradient(60rem 34rem at 50% -8rem, var(--glow), transparent 70%) no-repeat var(--page);
  color: var(--text); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
}
main {
  width: 100%; max-width: 25rem; padding: 2.25rem; background: var(--card); border: 1px solid var(--line); border-radius: 16px;
  box-shadow: 0 1px 2px rgb(0 0 0 / 6%), 0 12px 32px rgb(16 32 64 / 8%);
}
.brand { display: flex; align-items: center; gap: .6rem; margin: 0 0 1.75rem; color: var(--accent); font-weight: 650; letter-spacing: .01em; }
.brand svg { display: block; }
.brand span { color: var(--text); }
h1 { margin: 0 0 .35rem; font-size: 1.45rem; line-height: 1.25; font-weight: 650; letter-spacing: -.01em; }
p { margin: 0 0 1.5rem; color: var(--soft); overflow-wrap: anywhere; }
p strong { color: var(--text); font-weight: 600; }
p:last-child { margin-bottom: 0; }
label { display: block; margin: 0 0 .35rem; font-weight: 550; font-size: .92rem; }
input:not([type=hidden]) {
  display: block; width: 100%; margin: 0 0 1.1rem; padding: .65rem .8rem; font: inherit; color: inherit;
  background: var(--field); border: 1px solid var(--field-line); border-radius: 9px;
}
button, .button {
  display: block; width: 100%; margin: .75rem 0 0; padding: .7rem 1rem; font: inherit; font-weight: 600; text-align: center; text-decoration: none; cursor: pointer;
  color: var(--on-accent); background: var(--accent); border: 1px solid transparent; border-radius: 9px;
}
button:hover, .button:hover { background: var(--accent-strong); }
.quiet, .quiet:hover { color: var(--text); background: transparent; border-color: var(--line); }
.quiet:hover { border-color: var(--field-line); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.alert { margin: 0 0 1.25rem; padding: .7rem .9rem; color: var(--bad); background: var(--bad-page); border: 1px solid var(--bad-line); border-radius: 9px; }
.or { display: flex; align-items: center; gap: .75rem; margin: 1.5rem 0 1.25rem; color: var(--soft); font-size: .85rem; }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
.groups { margin: -.75rem 0 1.5rem; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: .4rem; }
.groups li { padding: .2rem .6rem; border: 1px solid var(--line); border-radius: 7px; overflow-wrap: anywhere; }
.code.shown { margin: 0 0 1.5rem; padding: .9rem; text-align: center; font-size: 1.7rem; border: 1px dashed var(--field-line); border-radius: 9px; }
.code { font-family: ui-monospace, SFMono-Regular, Menlo, monospace; letter-spacing: .12em; }
.facts { margin: 0 0 1.5rem; display: grid; grid-template-columns: auto 1fr; gap: .4rem 1rem; overflow-wrap: anywhere; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; }
.facts ul { margin: 0; padding: 0 0 0 1.1rem; }
.reference { margin: 1.5rem 0 0; display: flex; flex-direction: column; }
code { font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
footer { margin: 1.25rem 0 0; max-width: 25rem; color: var(--soft); font-size: .85rem; text-align: center; text-wrap: balance; }
`;

export const PAGE_MARK =
  '<svg width="26" height="26" viewBox="0 0 26 26" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" aria-hidden="true"><path d="M3 23V12a10 10 0 0 1 20 0v11"/><path d="M8.5 23V12.5a4.5 4.5 0 0 1 9 0V23"/><path d="M1.5 23h23"/></svg>';
