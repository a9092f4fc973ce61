// The only functions that turn data into HTML.

/** Text that is HTML already. A template escapes all other values. */
export interface Html {
  readonly html: string;
}

/** `html\`<p>${text}</p>\``: escapes values that are not Html, and joins lists. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  return { html: parts.reduce((text, part, index) => text + render(values[index - 1] ?? '') + part) };
}

export const NOTHING: Html = { html: '' };

function render(value: string | Html | readonly Html[]): string {
  if (typeof value === 'string') return escapeText(value);
  return 'html' in value ? value.html : value.map((item) => item.html).join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** The result is safe as text and in a quoted attribute. */
function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '');
}
