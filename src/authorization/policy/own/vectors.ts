// Decision vectors: a principal, an action, a resource and the expected decision. They are beside the policies, and `lictor check` runs them.
import { z } from 'zod';
import { type Problem, problemPath } from '../../../config/problem.ts';
import { nearestName } from '../../../config/suggest.ts';
import { parseYaml } from '../../../config/yaml-file.ts';
import { RESOURCE_TYPES } from '../../../contract/operation.ts';
import { CARRIERS } from '../../../contract/principal.ts';
import { BUILT_IN_ROLES } from '../../../contract/roles.ts';

const vector = z.strictObject({
  name: z.string().min(1),
  principal: z.strictObject({
    id: z.string().min(1).default('somebody@example'),
    kind: z.enum(['user', 'service', 'worker', 'run', 'agent']).default('user'),
    idp: z.string().optional(),
    roles: z.array(z.enum(BUILT_IN_ROLES)).default([]),
    // Attributes of a run that calls a service.
    tags: z.array(z.string()).optional(),
    flow: z.string().optional(),
    deployment: z.string().optional(),
    work_pool: z.string().optional(),
    initiators: z.array(z.string()).optional(),
  }),
  action: z.string(),
  resource: z
    .strictObject({
      type: z.enum(RESOURCE_TYPES).optional(),
      id: z.string().optional(),
      // Attributes: without any of these the resource counts as not looked up.
      name: z.string().optional(),
      tags: z.array(z.string()).optional(),
      work_pool: z.string().optional(),
      work_queue: z.string().optional(),
      flow: z.string().optional(),
      deployment: z.string().optional(),
      owner: z.string().optional(),
      state: z.string().optional(),
      labels: z.record(z.string(), z.string()).optional(),
    })
    .default({}),
  context: z
    .strictObject({
      address: z.string().default('192.0.2.1'),
      carrier: z.enum(CARRIERS).default('authorization'),
      facts: z.record(z.string(), z.union([z.boolean(), z.number(), z.string(), z.array(z.string())])).default({}),
    })
    .prefault({}),
  expect: z.enum(['allow', 'deny']),
  policies: z.array(z.string()).optional(),
});

const fileSchema = z.strictObject({ vectors: z.array(vector).min(1) });

export type WireVector = z.output<typeof vector>;

export interface Vector extends WireVector {
  readonly file: string;
  /** The line of the vector, or of one of its keys. */
  readonly lineOf: (key?: keyof WireVector) => number | undefined;
}

export interface ParsedVectors {
  readonly vectors: readonly Vector[];
  readonly problems: readonly Problem[];
}

/** The vectors of one file. They are usable only if `problems` is empty. */
export function parseVectors(file: string, text: string): ParsedVectors {
  const yaml = parseYaml(text);
  if (!yaml.ok) return { vectors: [], problems: yaml.problems.map((problem) => ({ ...problem, file })) };
  const parsed = fileSchema.safeParse(yaml.data);
  const lines = (keys: readonly PropertyKey[]) => yaml.lineOf(keys);
  if (!parsed.success) return { vectors: [], problems: parsed.error.issues.flatMap((issue) => issueProblems(issue, file, lines)) };
  const vectors = parsed.data.vectors.map(
    (wire, index): Vector => ({ ...wire, file, lineOf: (key) => lines(['vectors', index, ...(key === undefined ? [] : [key])]) }),
  );
  return { vectors, problems: [] };
}

type LineOf = (keys: readonly PropertyKey[]) => number | undefined;

const FORM = 'A vector has name, principal, action, resource, context, expect and policies: docs/how-to/policies.md.';

function issueProblems(issue: z.core.$ZodIssue, file: string, lineOf: LineOf): readonly Problem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const near = nearestName(key, KEYS);
      return at([...issue.path, key], { message: 'is no key of a vector', remedy: near === undefined ? FORM : `Did you mean ${near}?` });
    });
  }
  return [at(issue.path, { message: lowerFirst(issue.message), remedy: FORM })];

  function at(keys: readonly PropertyKey[], { message, remedy }: Pick<Problem, 'message' | 'remedy'>): Problem {
    const line = lineOf(keys);
    return { path: problemPath(keys), file, ...(line !== undefined && { line }), message, remedy };
  }
}

const KEYS = [
  'vectors',
  ...Object.keys(vector.shape),
  'id',
  'kind',
  'idp',
  'roles',
  'tags',
  'flow',
  'deployment',
  'work_pool',
  'initiators',
  'type',
  'work_queue',
  'owner',
  'state',
  'labels',
  'address',
  'carrier',
  'facts',
];

function lowerFirst(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
