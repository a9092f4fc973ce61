import { Tag, type Tone } from '../../parts/tag.tsx';
import { UntrustedText } from '../../parts/untrusted-text.tsx';
import type { Usual } from './queries.ts';
import { basisWords, type Judgement, judge } from './words.ts';

type Argument = Usual['arguments'][number];

/** Each argument with its value now, and the values of earlier requests. */
export function UsualTable({ usual }: { readonly usual: Usual }) {
  return (
    <>
      <p className="basis">{usual.unavailable ?? basisWords(usual)}</p>
      {usual.arguments.length > 0 && (
        <ul className="usual">
          {usual.arguments.map((argument) => (
            <Row key={argument.name} argument={argument} count={usual.count} />
          ))}
        </ul>
      )}
    </>
  );
}

const JUDGED: Readonly<Record<Judgement, readonly [tone: Tone, text: string] | null>> = {
  usual: ['good', 'as usual'],
  rare: ['warn', 'rare'],
  new: ['bad', 'new value'],
  'left-out': ['plain', 'not given'],
  unknown: null,
};

function Row({ argument, count }: { readonly argument: Argument; readonly count: number }) {
  const judged = JUDGED[judge(argument, count)];
  return (
    <li>
      <span className="name">
        <UntrustedText text={argument.name} longest={60} />
        {judged !== null && <Tag tone={judged[0]}>{judged[1]}</Tag>}
      </span>
      {argument.value !== null && (
        <code className="value">
          <UntrustedText text={argument.value} longest={120} />
        </code>
      )}
      <Others argument={argument} count={count} />
    </li>
  );
}

function Others({ argument: { same, value, others }, count }: { readonly argument: Argument; readonly count: number }) {
  if (count === 0) return null;
  return (
    <span className="others">
      {value !== null && <span>{`${same} of ${count} had this value`}</span>}
      {others.map((other) => (
        <span key={other.value}>
          {other.count} had{' '}
          <code>
            <UntrustedText text={other.value} longest={60} />
          </code>
        </span>
      ))}
    </span>
  );
}
