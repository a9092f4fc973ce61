// Facts of an answer: values of a form that no author can write a sentence in. A value of another form is dropped.
import { parseUuid } from '../json/uuid.ts';

/** A text that passed one of these functions. An answer for an agent holds no other text outside `untrusted_text`. */
export type Fact = string & { readonly [FACT]: true };
declare const FACT: unique symbol;

/** RFC 3339, as Prefect writes times. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** The resource of an event, if Prefect names it by its id. */
const RESOURCE = /^prefect\.[a-z]{1,20}(?:-[a-z]{1,20}){0,3}\.[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

export const fact = {
  uuid: (value: unknown): Fact | null => factOf(typeof value === 'string' ? parseUuid(value) : undefined),
  oneOf: (values: readonly string[], value: unknown): Fact | null => factOf(values.find((each) => each === value)),
  number: (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null),
  flag: (value: unknown): boolean | null => (typeof value === 'boolean' ? value : null),
  time: (value: unknown): Fact | null => factOf(matching(TIME, value)),
  resource: (value: unknown): Fact | null => factOf(matching(RESOURCE, value)),
  /** A text of Lictor's own code. Never text from a request, a configuration or Prefect. */
  own: (text: string): Fact => text as Fact,
};

/** The state types of Prefect's runs. Their names are text of authors. */
export const STATE_TYPES = ['SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED', 'PAUSED', 'CANCELLING'] as const;

/** The statuses of work pools, work queues, deployments and workers. */
export const STATUSES = ['READY', 'NOT_READY', 'PAUSED', 'ONLINE', 'OFFLINE'] as const;

function factOf(text: string | undefined): Fact | null {
  return text === undefined ? null : (text as Fact);
}

function matching(form: RegExp, value: unknown): string | undefined {
  return typeof value === 'string' && form.test(value) ? value : undefined;
}
