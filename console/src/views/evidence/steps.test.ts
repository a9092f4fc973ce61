import { expect, it } from 'vitest';
import { afterLine, counted, periodProblem, periods, progressWords } from './steps.ts';

const VERIFICATION = { proven: true, doubt: null, records: 3, checkpoints: 1, signed_at: null, pruned: 0, problems: [] };
const NOW = Date.parse('2026-02-10T12:00:00Z');

it('knows the progress until the result comes', () => {
  const running = afterLine({}, { progress: { phase: 'ledger', records: 20_000 } });
  expect(progressWords(running.progress)).toBe('20,000 records of the whole ledger verified…');
  expect(progressWords(afterLine(running, { progress: { phase: 'period', records: 7 } }).progress)).toBe('7 records of the period read…');
  expect(afterLine(running, { verification: VERIFICATION })).toEqual({ verification: VERIFICATION });
  const report = { document: { title: 'A report' }, files: [], verification: VERIFICATION };
  expect(afterLine(running, { report })).toEqual({ report, verification: VERIFICATION });
  expect(afterLine(running, { refusal: { code: 'evidence-too-long', detail: 'It did not end in time.' } })).toEqual({ refusal: 'It did not end in time.' });
});

it('offers the last 30 days until today first, then quarters and the last year', () => {
  expect(periods(NOW)).toEqual([
    { text: 'Last 30 days', from: '2026-01-12', to: '2026-02-10' },
    { text: 'This quarter', from: '2026-01-01', to: '2026-02-10' },
    { text: 'Last quarter', from: '2025-10-01', to: '2025-12-31' },
    { text: 'Last year', from: '2025-01-01', to: '2025-12-31' },
  ]);
  expect(periods(Date.parse('2026-12-02'))[2]).toMatchObject({ from: '2026-07-01', to: '2026-09-30' });
});

it('counts one thing and several', () => {
  expect([counted(1, 'checkpoint'), counted(1_204, 'record'), counted(0, 'record')]).toEqual(['1 checkpoint', '1,204 records', '0 records']);
});

it.each([
  ['2026-01-01', '2026-01-31', undefined],
  ['2026-01-31', '2026-01-01', 'The first day is after the last one.'],
  ['', '2026-01-01', 'Give both days.'],
  ['2026-13-40', '2026-14-01', 'Give both days.'],
  ['2026-03-01', '2026-03-31', 'The first day is in the future.'],
])('a period from %s to %s', (from, to, problem) => {
  expect(periodProblem(from, to, NOW)).toBe(problem);
});
