// Where text that others wrote comes from, as `untrusted_text.source` names it.

export const SOURCES = [
  'flow',
  'flow run',
  'task run',
  'deployment',
  'work pool',
  'work queue',
  'worker',
  'log',
  'event',
  'automation',
  'block',
  'variable',
  'artifact',
  'error of prefect',
  'record of lictor',
] as const;

export type Source = (typeof SOURCES)[number];
