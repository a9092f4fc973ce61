// The search terms of an audit, the same on the command line and in the API.

import { DURATION_HINT, parseDurationSeconds } from '../../../../config/duration.ts';
import { parseUuid } from '../../../../contract/json/uuid.ts';
import { parseNetwork } from '../../../../identity/authn/service-token/networks.ts';

export interface Word<T> {
  /** Undefined: the text has another form. */
  readonly parse: (text: string, nowMs: number) => T | undefined;
  /** The hint for a text of another form. */
  readonly hint: string;
}

export const ACTION: Word<string> = {
  parse: (text) => (/^[a-z_]+(?:\.[a-z_]+)*(?:\.\*)?$/.test(text) ? text : undefined),
  hint: 'an action is written flow_runs.create, all of a noun flow_runs.*',
};

export const DECISION: Word<'allow' | 'deny'> = {
  parse: (text) => (text === 'allow' || text === 'deny' ? text : undefined),
  hint: 'a decision is allow or deny.',
};

export const REASON: Word<string> = {
  parse: (text) => (/^[a-z][a-z0-9-]*$/.test(text) ? text : undefined),
  hint: 'a reason is a code of docs/reference/errors.md: policy-default-deny.',
};

/** `403`, or the class `4xx`. */
export const STATUS: Word<{ readonly from: number; readonly to: number }> = {
  parse(text) {
    if (/^[1-5][0-9]{2}$/.test(text)) return { from: Number(text), to: Number(text) };
    const from = Number(text.charAt(0)) * 100;
    return /^[1-5]xx$/.test(text) ? { from, to: from + 99 } : undefined;
  },
  hint: 'a status is written 403, a class of them 4xx.',
};

/** An address in the form of records, or a network. */
export const ADDRESS: Word<string> = {
  parse(text) {
    const network = parseNetwork(text);
    if (network === undefined) return undefined;
    const { address, prefix, family } = network;
    return prefix === (family === 'ipv4' ? 32 : 128) ? address : `${address}/${prefix}`;
  },
  hint: 'write an address or a network: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32.',
};

export const TEXT: Word<string> = {
  parse: (text) => (/^\P{Cc}{1,1024}$/u.test(text) ? text : undefined),
  hint: 'write up to 1024 characters, and no control characters.',
};

export const PATH: Word<string> = {
  parse(text) {
    const star = text.indexOf('*');
    return text.startsWith('/') && (star === -1 || star === text.length - 1) ? TEXT.parse(text, 0) : undefined;
  },
  hint: 'a path begins with /; * at its end stands for all below: /api/deployments/*',
};

export const RECORD_ID: Word<string> = {
  parse: (text) => (/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text) ? text : undefined),
  hint: 'a record is named by its id: lictor audit --json shows it.',
};

/** A pasted id becomes lower case and hyphenated, as in the ledger. */
export const ID_OR_NAME: Word<string> = { parse: (text) => parseUuid(text) ?? TEXT.parse(text, 0), hint: TEXT.hint };

export const COUNT: Word<number> = {
  parse: (text) => (/^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined),
  hint: 'a whole number above 0.',
};

/** A duration before now, or a time; dates begin at midnight UTC. */
export const WHEN: Word<string> = {
  parse(text, nowMs) {
    const seconds = parseDurationSeconds(text);
    if (seconds !== undefined) return new Date(nowMs - seconds * 1000).toISOString();
    const ms = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
  },
  hint: `${DURATION_HINT} Or a date, 2026-03-01, or a time with its zone, 2026-03-01T12:00:00Z.`,
};
