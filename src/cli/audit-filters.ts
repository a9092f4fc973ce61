// Parses the filter options of `lictor audit`, with the same terms as the API. An error of commander ends with exit status 2.
import { InvalidArgumentError } from 'commander';
import { systemClock } from '../contract/clock.ts';
import { ACTION, ADDRESS, COUNT, PATH, REASON, RECORD_ID, STATUS, TEXT, WHEN, type Word } from '../edge/http/api/audit/words.ts';

export const parseAction = argument(ACTION);
export const parseReason = argument(REASON);
export const parseStatus = argument(STATUS);
export const parseAddress = argument(ADDRESS);
export const parsePath = argument(PATH);
export const parseRecordId = argument(RECORD_ID);
export const parseText = argument(TEXT);
export const parseCount = argument(COUNT);
export const parseWhen = argument(WHEN);

function argument<T>({ parse, hint }: Word<T>): (text: string) => T {
  return (text) => {
    const value = parse(text, systemClock());
    if (value === undefined) throw new InvalidArgumentError(hint);
    return value;
  };
}
