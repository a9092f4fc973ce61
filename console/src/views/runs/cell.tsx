// The parts of a grid without elements of a table: a table could not show only the lines in sight.
import type { ComponentProps } from 'react';

const ROLES = { cell: 'gridcell', row: 'row', head: 'columnheader' } as const;

export function Cell(props: ComponentProps<'span'>) {
  return <span {...props} role={ROLES.cell} />;
}

export function HeadCell(props: ComponentProps<'span'>) {
  return <span {...props} role={ROLES.head} />;
}

export function Line(props: ComponentProps<'div'>) {
  return <div {...props} role={ROLES.row} />;
}

export function GridBox({ kind, ...props }: ComponentProps<'div'> & { readonly kind: 'grid' | 'treegrid' }) {
  return <div {...props} role={kind} />;
}
