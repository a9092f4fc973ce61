// What `lictor init` is asked: the answers of a person, or of a file.
import { z } from 'zod';
import { parseYaml } from '../../config/yaml-file.ts';

/** The identity provider that init writes. Its callback is `/.lictor/callback/corp`. */
export const IDP = 'corp';
export const ACCOUNTS = 'local';

const text = z.string().trim().min(1).max(2048);
const urls = z.union([text, z.array(text).min(1)]).transform((given) => [given].flat());
const tls = z.union([z.strictObject({ cert: text, key: text }), z.strictObject({ self_made: z.literal(true) })]);

const answersFile = z
  .strictObject({
    prefect_url: urls.optional(),
    auth_string_file: text.optional(),
    prefect_ca_file: text.optional(),
    public_url: text,
    listen: text.optional(),
    tls: tls.optional(),
    issuer: text.optional(),
    client_id: text.optional(),
    client_secret_file: text.optional(),
    issuer_ca_file: text.optional(),
    groups_claim: text.optional(),
    admins: z.array(text).min(1),
    /** A person is at hand who logs in once. */
    test_login: z.boolean().optional(),
  })
  .refine(({ issuer, client_id: client }) => (issuer === undefined) === (client === undefined), {
    path: ['client_id'],
    message: 'issuer and client_id belong together: give both, or neither for built-in accounts',
  });

/** Relative paths are below the directory of the answers. */
export type Answers = z.output<typeof answersFile>;

export type ReadAnswers = { readonly ok: true; readonly answers: Answers } | { readonly ok: false; readonly problems: readonly string[] };

/** Unknown keys are problems. */
export function parseAnswers(yaml: string): ReadAnswers {
  const parsed = parseYaml(yaml);
  if (!parsed.ok) return { ok: false, problems: parsed.problems.map(({ message, remedy }) => `${message}. ${remedy}`) };
  const read = answersFile.safeParse(parsed.data);
  if (read.success) return { ok: true, answers: read.data };
  return { ok: false, problems: read.error.issues.map(({ path, message }) => `${path.length === 0 ? 'the file' : path.join('.')}: ${message}`) };
}

/** `alice`, `user:alice`, `group:platform` -> the member of a role, at the provider of this file. */
export function memberOf(admin: string, idp: string): string {
  const at = `@${idp}`;
  const who = admin.endsWith(at) ? admin.slice(0, -at.length) : admin;
  return `${/^(?:user|group|claim):/.test(who) ? who : `user:${who}`}${at}`;
}
