// A text that the page has, saved as a file.

const TYPES: Readonly<Record<string, string>> = { html: 'text/html', csv: 'text/csv', json: 'application/json' };

export function saveText(name: string, text: string): void {
  const type = TYPES[name.split('.').at(-1) ?? ''] ?? 'text/plain';
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has begun to read it.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
