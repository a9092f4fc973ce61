// A command line as words, by the quoting rules of POSIX shells. Expands nothing: `$VAR` stays as it is.

/** Undefined: a quote is open at the end. */
export function shellWords(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let rest = text;
  while (rest !== '') {
    const token = TOKEN.exec(rest)?.groups;
    if (token === undefined) return undefined;
    rest = rest.slice(token['all']?.length ?? 1);
    if (token['space'] === undefined) word = `${word ?? ''}${textOf(token)}`;
    else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}

type Token = Readonly<Record<string, string | undefined>>;

/** Spaces, and `\` at the end of a line; quoted texts; one escaped character; plain text. */
const TOKEN =
  /^(?<all>(?<space>(?:\s|\\\r?\n)+)|\$'(?<ansi>(?:[^'\\]|\\[\s\S])*)'|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[\s\S])*)"|\\(?<escaped>[\s\S])|(?<plain>[^\s\\'"$]+|\$(?!')))/;

const ANSI: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function textOf({ ansi, single, double, escaped, plain }: Token): string {
  if (ansi !== undefined) return ansi.replaceAll(/\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[\s\S])/g, (_, code: string) => ansiText(code));
  if (double !== undefined) return double.replaceAll(/\\(\r?\n|[$`"\\])/g, (_, given: string) => (given.endsWith('\n') ? '' : given));
  return single ?? escaped ?? plain ?? '';
}

/** Browsers copy requests with these escapes. */
function ansiText(code: string): string {
  return code.length > 1 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (ANSI[code] ?? code);
}
