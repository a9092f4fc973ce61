import { useNavigate } from '@tanstack/react-router';
import type { Place } from './places.ts';

/** Opens a file at a place. */
export function useGoTo(): (file: string, place: Place) => void {
  const navigate = useNavigate();
  return (file, { line, column }) => {
    const search = { line: line === null ? '1' : `${line}`, ...(column !== null && { column: `${column}` }) };
    navigate({ to: `/policies/${file}`, search, replace: true, resetScroll: false });
  };
}
