// The one way from data to HTML text.

/** Text that is HTML already; everything else is escaped when it is put into a template. */
export interface Html {
  readonly html: string;
}

/** `html\`<p>${text}</p>\``: values are escaped, unless they are Html themselves; lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | Html | readonly Html[])[]): Html {
  return { html: parts.reduce((text, part, index) => text + render(values[index - 1] ?? '') + part) };
}

export const NOTHING: Html = { html: '' };

function render(value: string | Html | readonly Html[]): string {
  if (typeof value === 'string') return escapeText(value);
  return 'html' in value ? value.html : value.map((item) => item.html).join('');
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Safe as text and within a quoted attribute. */
function escapeText(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? '');
}
