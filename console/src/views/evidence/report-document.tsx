import { UntrustedText } from '../../parts/untrusted-text.tsx';
import { type Block, type ReportSection, readDocument, type Table } from './document.ts';

/** The report on the page, as it is printed. */
export function ReportDocument({ document }: { readonly document: unknown }) {
  const { title, subtitle, facts, tiles, sections } = readDocument(document);
  return (
    <article className="report">
      <header>
        <h2>{title}</h2>
        <p className="muted">
          <UntrustedText text={subtitle} />
        </p>
        <Facts rows={facts} />
        <dl className="report-tiles">
          {tiles.map(({ label, value, detail, tone }) => (
            <div key={label} data-tone={tone}>
              <dt>{label}</dt>
              <dd>
                <strong>{value}</strong>
                <span className="muted">{detail}</span>
              </dd>
            </div>
          ))}
        </dl>
      </header>
      {sections.map((section, index) => (
        <Section key={section.id} section={section} number={index + 1} />
      ))}
    </article>
  );
}

function Section({ section: { id, title, supports, lead, blocks }, number }: { readonly section: ReportSection; readonly number: number }) {
  return (
    <section aria-labelledby={`report-${id}`}>
      <h3 id={`report-${id}`}>
        {number}. {title}
      </h3>
      {supports !== null && (
        <p className="supports">
          Supports evidence for SOC 2 {supports.soc2.join(', ')} and ISO/IEC 27001 {supports.iso.map((control) => `A.${control}`).join(', ')}.
        </p>
      )}
      <p>{lead}</p>
      {blocks.map((block, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the blocks of a report do not move
        <ShownBlock key={at} block={block} label={title} />
      ))}
    </section>
  );
}

function ShownBlock({ block, label }: { readonly block: Block; readonly label: string }) {
  switch (block.kind) {
    case 'text':
      return (
        <p>
          <UntrustedText text={block.text} longest={2000} />
        </p>
      );
    case 'note':
      return (
        <p className={`notice ${block.tone === 'bad' ? 'danger' : block.tone === 'warn' ? 'warning' : block.tone}`}>
          <UntrustedText text={block.text} longest={2000} />
        </p>
      );
    case 'facts':
      return <Facts rows={block.rows} />;
    case 'table':
      return <ShownTable table={block} label={label} />;
    case 'code':
      return (
        <figure>
          <figcaption>{block.title}</figcaption>
          <pre>
            <UntrustedText text={block.text} longest={20_000} />
          </pre>
        </figure>
      );
    case 'days':
      return <Days days={block.days} />;
  }
}

function Facts({ rows }: { readonly rows: readonly (readonly [label: string, value: string])[] }) {
  return (
    <dl className="facts">
      {rows.map(([label, value]) => (
        <div key={label} className="fact">
          <dt>{label}</dt>
          <dd>
            <UntrustedText text={value} longest={1000} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function ShownTable({ table: { head, rows, empty, numbers = [], dense = false }, label }: { readonly table: Table; readonly label: string }) {
  if (rows.length === 0) return <p className="muted">{empty}</p>;
  const kind = (column: number) => (numbers.includes(column) ? 'number' : undefined);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a wide table scrolls by keyboard
    <section className="table-frame" tabIndex={0} aria-label={label}>
      <table className={dense ? 'table' : 'table roomy'}>
        <thead>
          <tr>
            {head.map((cell, column) => (
              <th key={cell} scope="col" className={kind(column)}>
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the rows of a report do not move
            <tr key={at}>
              {row.map((cell, column) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: nor do its columns
                <td key={column} className={kind(column)}>
                  <UntrustedText text={cell} longest={300} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Days({ days }: { readonly days: Extract<Block, { readonly kind: 'days' }>['days'] }) {
  const most = Math.max(1, ...days.map(({ allowed, denied }) => allowed + denied));
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return null;
  return (
    <figure className="days">
      <div role="img" aria-label={`Requests of each day from ${first.day} to ${last.day}, at most ${most.toLocaleString('en')} a day`}>
        {days.map(({ day, allowed, denied }) => (
          <span key={day} title={`${day}: ${allowed} allowed, ${denied} denied`}>
            <i className="denied" style={{ height: `${(100 * denied) / most}%` }} />
            <i style={{ height: `${(100 * allowed) / most}%` }} />
          </span>
        ))}
      </div>
      <figcaption className="muted">
        {first.day} to {last.day}: requests of each day, at most {most.toLocaleString('en')}
      </figcaption>
    </figure>
  );
}
