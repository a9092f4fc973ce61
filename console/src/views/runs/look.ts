// How a person looks at a timeline: all of it stands in the address.
import { useMemo } from 'react';
import { useChangeUrl, useUrlValues } from '../../app/url-state.ts';
import { type Axis, isWhole, type Range, WHOLE } from './axis.ts';
import type { Shape } from './items.ts';

export interface Look {
  readonly form: 'lanes' | 'table';
  /** The shown time: milliseconds since the start of the run. Null: all of it. */
  readonly shown: { readonly from: number; readonly to: number } | null;
  /** The key of the row that is open beside the picture. Empty: none. */
  readonly selected: string;
  readonly text: string;
  readonly collapse: boolean;
  readonly shape: Shape;
}

export function lookOf(values: Readonly<Record<string, string>>): Look {
  const [from, to] = [Number(values['from'] ?? 'x'), Number(values['to'] ?? 'x')];
  return {
    form: values['form'] === 'table' ? 'table' : 'lanes',
    shown: to > from ? { from, to } : null,
    selected: values['row'] ?? '',
    text: values['q'] ?? '',
    collapse: values['idle'] !== 'shown',
    shape: { turned: new Set((values['turned'] ?? '').split(',').filter(Boolean)), routine: values['routine'] === 'shown' },
  };
}

export function rangeOf({ shown }: Pick<Look, 'shown'>, axis: Axis): Range {
  if (shown === null) return WHOLE;
  const [start, end] = [axis.placeOf(axis.from + shown.from), axis.placeOf(axis.from + shown.to)];
  return end > start ? { start: Math.max(0, start), end: Math.min(1, end) } : WHOLE;
}

/** The values of the address for a range. */
export function shownIn(range: Range, axis: Axis): { readonly from: string; readonly to: string } {
  if (isWhole(range)) return { from: '', to: '' };
  const offset = (place: number): string => (axis.timeOf(place) - axis.from).toFixed(1);
  return { from: offset(range.start), to: offset(range.end) };
}

export function turn(turned: ReadonlySet<string>, id: string): string {
  const next = new Set(turned);
  if (!next.delete(id)) next.add(id);
  return [...next].join(',');
}

export function useLook() {
  const values = useUrlValues();
  return { look: useMemo(() => lookOf(values), [values]), change: useChangeUrl() };
}
