// The first problem of a request's input as one sentence. It names the field and its form, and never quotes a value.
import { z } from 'zod';

/** `query`: the schema whose names are listed when a parameter of the query is unknown. */
export function whatIsWrong(error: z.ZodError, query: z.ZodType): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'The request is not valid.';
  const [part, ...path] = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') return part === 'query' && path.length === 0 ? unknownParameter(query) : `${nameOf(part, path)} has an unknown key.`;
  return `${nameOf(part, path)}: ${issue.message}`;
}

function unknownParameter(query: z.ZodType): string {
  const names = query instanceof z.ZodObject ? Object.keys(query.shape) : [];
  return names.length === 0 ? 'This takes no parameters.' : `A parameter is not known. There are ${names.join(', ')}.`;
}

function nameOf(part: string | undefined, path: readonly string[]): string {
  return path.length === 0 ? `The ${part === 'query' ? 'query' : 'body'}` : path.join('.');
}
