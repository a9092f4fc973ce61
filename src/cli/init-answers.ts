// `lictor init --answers FILE`: the answers, with what the stock client of this machine knows.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Answers, parseAnswers } from '../operations/init/answers.ts';
import { LOCAL_URLS, readClientSettings } from '../operations/init/client-settings.ts';
import { findPrefect } from '../operations/init/examine-prefect.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';
import type { Given } from './init-questions.ts';

/** Throws CommandFailed with every problem. */
export async function readAnswers({ env }: CliContext, file: string): Promise<Given> {
  const read = parseAnswers(textOf(file, 'answers'));
  if (!read.ok) throw new CommandFailed(`${file} is not usable. Nothing was written.\n${read.problems.map((problem) => `  ${problem}`).join('\n')}`);
  const known = readClientSettings(env);
  const url = read.answers.prefect_url ?? [known.url ?? (await findPrefect(LOCAL_URLS))].filter((found) => found !== undefined);
  if (url.length === 0) throw new CommandFailed(`No Prefect was found on this machine: add prefect_url to ${file}.`);
  const answers = { ...absolute(read.answers, dirname(file)), prefect_url: url };
  const { auth_string_file: authFile, client_secret_file: secretFile } = answers;
  return {
    answers,
    authString: authFile === undefined ? (known.authString ?? null) : textOf(authFile, 'auth_string_file').trim(),
    clientSecret: secretFile === undefined ? null : textOf(secretFile, 'client_secret_file').trim(),
  };
}

function textOf(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailed(`${key}: ${file} cannot be read. Create it, correct the path, or let this user read it. Nothing was written.`, error);
  }
}

/** Paths of the answers are below the directory of their file. */
function absolute(answers: Answers, directory: string): Answers {
  const at = (path: string): string => resolve(directory, path);
  const { tls } = answers;
  const files = (['auth_string_file', 'prefect_ca_file', 'client_secret_file', 'issuer_ca_file'] as const).flatMap((key) => {
    const path = answers[key];
    return path === undefined ? [] : [[key, at(path)]];
  });
  return { ...answers, ...Object.fromEntries(files), ...(tls !== undefined && 'cert' in tls && { tls: { cert: at(tls.cert), key: at(tls.key) } }) };
}
