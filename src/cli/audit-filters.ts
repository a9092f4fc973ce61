// What `lictor audit` is told to look for.
import { InvalidArgumentError } from 'commander';
import { parseNetwork } from '../authn/service-token/networks.ts';

export function parseAction(text: string): string {
  if (!/^[a-z_]+(?:\.[a-z_]+)*(?:\.\*)?$/.test(text)) throw new InvalidArgumentError('an action is written flow_runs.create, all of a noun flow_runs.*');
  return text;
}

export function parseReason(text: string): string {
  if (!/^[a-z][a-z0-9-]*$/.test(text)) throw new InvalidArgumentError('a reason is a code of docs/errors.md: policy-default-deny.');
  return text;
}

/** `403`, or the class `4xx`. */
export function parseStatus(text: string): { readonly from: number; readonly to: number } {
  if (/^[1-5][0-9]{2}$/.test(text)) return { from: Number(text), to: Number(text) };
  if (!/^[1-5]xx$/.test(text)) throw new InvalidArgumentError('a status is written 403, a class of them 4xx.');
  const from = Number(text.charAt(0)) * 100;
  return { from, to: from + 99 };
}

/** An address as records have it, or a network. */
export function parseAddress(text: string): string {
  const network = parseNetwork(text);
  if (network === undefined) throw new InvalidArgumentError('write an address or a network: 192.0.2.7, 10.0.0.0/8, 2001:db8::/32.');
  const { address, prefix, family } = network;
  return prefix === (family === 'ipv4' ? 32 : 128) ? address : `${address}/${prefix}`;
}

export function parsePath(text: string): string {
  const star = text.indexOf('*');
  if (!text.startsWith('/') || (star !== -1 && star !== text.length - 1))
    throw new InvalidArgumentError('a path begins with /; * at its end stands for all below: /api/deployments/*');
  return parseText(text);
}

export function parseRecordId(text: string): string {
  if (!/^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text)) throw new InvalidArgumentError('a record is named by its id: lictor audit --json shows it.');
  return text;
}

export function parseText(text: string): string {
  if (!/^\P{Cc}{1,1024}$/u.test(text)) throw new InvalidArgumentError('write up to 1024 characters, and no control characters.');
  return text;
}

export function parseCount(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('a whole number above 0.');
  return Number(text);
}
