// A tool for agents: its definition, the right that it needs, and what it does.
import { z } from 'zod';
import type { JsonValue } from '../../contract/json/tree.ts';
import type { ActionName } from '../../contract/operation.ts';
import type { Principal } from '../../contract/principal.ts';
import type { LedgerRecord } from '../../contract/record.ts';
import type { StoredApproval } from '../../store/approvals.ts';
import { ERROR, type ToolError, ToolRefusal } from './refusal.ts';

/** `steer` changes runs, `destroy` ends some. */
export type ToolKind = 'read' | 'steer' | 'destroy';

export interface ToolSpec<Input extends z.ZodObject, Output extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly kind: ToolKind;
  /** A principal that may never do this has no use of the tool. Null: every principal may use it. */
  readonly needs: ToolNeed | null;
  readonly input: Input;
  readonly output: Output;
  run(args: z.output<Input>, call: ToolCall): Promise<z.input<Output>>;
}

/** An action of the catalogue, and a route that asks for it. */
export interface ToolNeed {
  readonly action: ActionName;
  readonly operation: string;
}

export interface ToolCall {
  readonly principal: Principal;
  /** Sends a request to Prefect as this principal: decided and recorded as any client's. Throws ToolRefusal unless Prefect answers 2xx. */
  ask(operation: string, request?: PrefectQuestion): Promise<JsonValue>;
  /** May the principal do this on the object, now? */
  explain(action: ActionName, id: string | null): Promise<Explained>;
  /** The newest records of a flow run, oldest first. The caller has checked that the principal may read the run. */
  recordsOf(flowRunId: string, most: number): Promise<readonly RunRecord[]>;
  /** Undefined: there is none, or another principal's. */
  approvalOf(id: string): Promise<KnownApproval | undefined>;
  readonly requestId: string;
  readonly nowMs: number;
}

export type RunRecord = Pick<LedgerRecord, 'time' | 'principal' | 'on_behalf_of' | 'action' | 'decision' | 'reason' | 'status' | 'tool' | 'approval_id'>;

export interface KnownApproval extends Pick<StoredApproval, 'state' | 'action' | 'expiresMs' | 'reason'> {
  readonly url: string;
}

export interface PrefectQuestion {
  /** The parameters of the path. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: unknown;
}

export interface Explained {
  readonly allowed: boolean;
  readonly reason: string;
  readonly detail: string;
  readonly hint: string;
  readonly policies: readonly string[];
}

/** As clients see it in `tools/list`. The lock file has its digest. */
export interface ToolDefinition {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: { readonly type: 'object'; readonly [key: string]: unknown };
  readonly outputSchema: { readonly type: 'object'; readonly [key: string]: unknown };
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
}

export type ToolAnswer = ({ readonly success: true; readonly error: null } | { readonly success: false; readonly error: ToolError }) & {
  readonly redactions?: number;
  readonly cut?: number;
};

export interface Tool {
  readonly definition: ToolDefinition;
  readonly needs: ToolNeed | null;
  /** Never throws for a refusal: `error` says why. */
  run(args: unknown, call: ToolCall): Promise<ToolAnswer>;
}

/** Of `untrusted_text` in the whole answer (src/contract/untrusted/answer.ts). */
const TEXT_COUNTS = {
  redactions: z.int().optional().describe('Secrets that were removed from texts.'),
  cut: z.int().optional().describe('Texts that were shortened or left out.'),
};

export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(spec: ToolSpec<Input, Output>): Tool {
  const input = z.strictObject(spec.input.shape) as unknown as Input;
  const result = spec.output.partial().extend({ success: z.boolean(), error: ERROR.nullable(), ...TEXT_COUNTS });
  return {
    needs: spec.needs,
    definition: {
      name: spec.name,
      title: spec.title,
      description: spec.description,
      inputSchema: schemaOf(input, 'input'),
      outputSchema: schemaOf(result, 'output'),
      annotations: {
        readOnlyHint: spec.kind === 'read',
        destructiveHint: spec.kind === 'destroy',
        idempotentHint: spec.kind === 'read',
        openWorldHint: false,
      },
    },
    async run(given, call) {
      try {
        const args = input.safeParse(given ?? {});
        if (!args.success) throw invalidArguments(args.error, call.requestId);
        // Without the fields that the schema does not name.
        return { success: true, error: null, ...spec.output.parse(await spec.run(args.data, call)) };
      } catch (error) {
        if (error instanceof ToolRefusal) return { success: false, error: error.refusal };
        throw error;
      }
    },
  };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): ToolDefinition['inputSchema'] {
  return { ...z.toJSONSchema(schema, { io, target: 'draft-2020-12' }), type: 'object' };
}

function invalidArguments({ issues }: z.ZodError, requestId: string): ToolRefusal {
  const words = issues.slice(0, 5).map(({ path, message }) => `${path.length === 0 ? 'arguments' : path.join('.')}: ${message}`);
  return new ToolRefusal({ code: 'arguments-invalid', detail: words.join('; '), hint: 'See the input schema of the tool.', request_id: requestId });
}
