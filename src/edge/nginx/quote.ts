// The only functions that put text into the nginx configuration.
import { LictorError } from '../../contract/error.ts';

/** nginx has no escape for `$`: this variable, defined by `geo` in the rendered configuration, holds one. */
export const DOLLAR_VARIABLE = 'lictor_dollar';

/** Any text as one quoted nginx parameter, without expansion. Rejects control characters. */
export function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\x00-\x1f\x7f]/.test(text)) throw new LictorError('edge-unquotable', 'A value for the nginx configuration holds control characters.');
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', `\${${DOLLAR_VARIABLE}}`)}"`;
}

/** Quoted text for a place where nginx expands nothing (map keys, regular expressions, paths): `$` stays. */
export function quoteVerbatim(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\x00-\x1f\x7f]/.test(text)) throw new LictorError('edge-unquotable', 'A value for the nginx configuration holds control characters.');
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** A path of the file system. Rejects `$`, because nginx expands it in some directives and not in others. */
export function quotePath(path: string): string {
  if (path.includes('$')) throw new LictorError('edge-unquotable', `The path ${path} holds a $ sign: use another directory.`);
  return quoteVerbatim(path);
}
