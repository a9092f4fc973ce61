// Well-formedness (XML 1.0, 2.1). xmldom does not enforce it: it drops text around the root and closes elements itself.
const SPACE = String.raw`[\t\n\r ]`;
const PART = String.raw`[\p{L}_][\p{L}\p{M}\p{N}._-]*`;
const NAME = `${PART}(?::${PART})?`;
const ATTRIBUTE = `${SPACE}+(${NAME})${SPACE}*=${SPACE}*(?:"[^"<]*"|'[^'<]*')`;
/** An end tag, a start tag with its attributes, or text. */
const TOKEN = new RegExp(`</(${NAME})${SPACE}*>|<(${NAME})((?:${ATTRIBUTE})*)${SPACE}*(/?)>|([^<]+)`, 'guy');
const ATTRIBUTE_NAME = new RegExp(ATTRIBUTE, 'gu');
const REFERENCE = /&(?:lt|gt|amp|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});/g;
const DECLARATION = new RegExp(
  `^<\\?xml${SPACE}+version${SPACE}*=${SPACE}*(["'])1\\.0\\1(?:${SPACE}+encoding${SPACE}*=${SPACE}*(["'])([A-Za-z][\\w.-]*)\\2)?(?:${SPACE}+standalone${SPACE}*=${SPACE}*(["'])(?:yes|no)\\4)?${SPACE}*\\?>`,
);
/** Encoding names that are correct for bytes read as UTF-8. The others are correct only if every character is ASCII. */
const UTF_8 = /^utf-8$/i;
const LIKE_ASCII = /^(?:us-ascii|iso-8859-\d{1,2}|windows-125\d)$/i;
const ASCII = /^[\t\n\r -~]*$/;

/** Without the XML declaration. Undefined: it has another version, or names an encoding that the bytes do not have. */
export function withoutDeclaration(text: string): string | undefined {
  if (!text.startsWith('<?xml')) return text;
  const found = DECLARATION.exec(text);
  if (found === null) return undefined;
  const encoding = found[3] ?? 'utf-8';
  const fits = UTF_8.test(encoding) || (LIKE_ASCII.test(encoding) && ASCII.test(text));
  return fits ? text.slice(found[0].length) : undefined;
}

/** `text`: without declarations, comments, CDATA sections and instructions, which the caller rejects. The caller also checks each character. */
export function isWellFormed(text: string): boolean {
  return !text.replaceAll(REFERENCE, '').includes('&') && rootsOf(text) === 1;
}

/** The number of outermost elements. Undefined: a tag or a text is at an invalid place. */
function rootsOf(text: string): number | undefined {
  const open: string[] = [];
  let [roots, read] = [0, 0];
  for (const [token, closes, opens, attributes = '', , empty, content] of text.matchAll(TOKEN)) {
    read += token.length;
    if (closes !== undefined && open.pop() !== closes) return undefined;
    if (!mayStand(content, open.length) || !areDistinct(attributes)) return undefined;
    if (opens !== undefined && open.length === 0) roots += 1;
    if (opens !== undefined && empty === '') open.push(opens);
  }
  return read === text.length && open.length === 0 ? roots : undefined;
}

function mayStand(content = '', depth = 0): boolean {
  return depth === 0 ? /^[\t\n\r ]*$/.test(content) : !content.includes(']]>');
}

function areDistinct(attributes: string): boolean {
  const names = [...attributes.matchAll(ATTRIBUTE_NAME)].map(([, name]) => name);
  return new Set(names).size === names.length;
}
