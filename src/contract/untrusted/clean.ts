// Text that others wrote, without what a terminal obeys and a reader does not see: ANSI sequences, controls, invisible characters.

/** ESC, and the string introducers and terminators of ECMA-48: DCS, SOS, ST, OSC, PM, APC. */
const STRING_CONTENT = '[^\\x07\\x1b\\x90\\x98\\x9c-\\x9f]*';
const SEQUENCES = new RegExp(
  [
    // OSC (titles, hyperlinks), DCS, SOS, PM and APC with their content. Without an end, only the introducer goes.
    `(?:\\x1b[\\]PX^_]|[\\x90\\x98\\x9d-\\x9f])${STRING_CONTENT}(?:\\x07|\\x1b\\\\|\\x9c)`,
    // CSI: colours, moves of the cursor, deleted lines.
    '(?:\\x1b\\[|\\x9b)[\\x30-\\x3f]*[\\x20-\\x2f]*[\\x40-\\x7e]',
    '\\x1b[\\x20-\\x2f]*[\\x30-\\x7e]',
  ].join('|'),
  'g',
);

const LINE_ENDS = /\r\n|[\r\v\f\u0085\u2028\u2029]/g;

/**
 * Controls but line feed and tab; format characters (bidi, zero-width, tags, soft hyphen, annotations, BOM); all that Unicode lets a reader ignore
 * (variation selectors, fillers); noncharacters and lone surrogates.
 */
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]/gu;

/** Letters that only look like others stay: no form of them is more true than another. */
export function cleanText(text: string): string {
  return text.replaceAll(SEQUENCES, '').replaceAll(LINE_ENDS, '\n').replaceAll(UNSEEN, '');
}
