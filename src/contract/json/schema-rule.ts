// A JSON Schema (2020-12) of lictor.yaml, compiled to a check of values.
import { Ajv2020, type ErrorObject, type Options } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { RE2JS } from 're2js';

/** The first problem of a value: its path and the rule, without the value itself. Undefined: it meets the schema. */
export type SchemaRule = (value: unknown) => string | undefined;

export type CompiledRule = { readonly ok: true; readonly problemOf: SchemaRule } | { readonly ok: false; readonly problem: string };

/** Strict: an unknown keyword or format is a problem. If it were ignored, the schema would permit more than its author meant. */
export function compileSchemaRule(schema: Readonly<Record<string, unknown>>): CompiledRule {
  try {
    metaSchemas ??= createAjv();
    metaSchemas.validateSchema(schema, true);
    const validate = createAjv({ validateSchema: false }).compile(schema);
    // The answer of an asynchronous schema is a promise, which is always true.
    if ('$async' in validate) return { ok: false, problem: '$async is not supported' };
    return { ok: true, problemOf: (value) => (validate(value) === true ? undefined : problemText(validate.errors?.[0])) };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : 'it is no JSON Schema' };
  }
}

/** Compiles the meta-schema once: that takes many times as long as the compilation of a rule. No rule is added to it. */
let metaSchemas: Ajv2020 | undefined;

function createAjv(more: Options = {}): Ajv2020 {
  const code = { regExp: linearPattern };
  const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false, ownProperties: true, logger: false, code, ...more });
  formats.default(ajv);
  return ajv;
}

/** RE2 takes time that grows with the text only: with a backtracking engine, one value could stop the gateway. It has no lookaround and no back references. */
const linearPattern = Object.assign((pattern: string) => RE2JS.compile(RE2JS.translateRegExp(pattern)), { code: 'linearPattern' });

function problemText(error: ErrorObject | undefined): string {
  const { instancePath = '', message = 'is refused', params = {} } = error ?? {};
  const name: unknown = params['additionalProperty'] ?? params['unevaluatedProperty'];
  return `parameters${instancePath} ${message}${typeof name === 'string' ? `: ${name}` : ''}`;
}
