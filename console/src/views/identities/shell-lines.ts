// The environment of a client as lines for a shell.

/** `export NAME=VALUE` for each, the value as one word. */
export function shellLines(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}=${shellWord(value)}`)
    .join('\n');
}

function shellWord(text: string): string {
  return /^[\w./+@%:=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
