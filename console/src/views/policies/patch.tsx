import { countChanges, type PatchLine, patchLines } from './patch-lines.ts';
import type { FilePatch } from './shapes.ts';

/** The files that differ, each with its changed lines. */
export function Patches({ patches }: { readonly patches: readonly FilePatch[] }) {
  if (patches.length === 0) return <p className="policies-same">There is no difference.</p>;
  return (
    <div className="policies-patches">
      {patches.map(({ name, change, patch }) => (
        <Patch key={name} {...{ name, change, patch }} />
      ))}
    </div>
  );
}

function Patch({ name, change, patch }: FilePatch) {
  const { added, removed } = countChanges(patch);
  return (
    <details open className="policies-patch">
      <summary>
        <span className="policies-file-name">{name}</span>
        {change !== 'changed' && <span className="policies-badge">{change}</span>}
        <span className="policies-counts">
          <span className="allow">+{added}</span> <span className="deny">−{removed}</span>
        </span>
      </summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a person without a mouse scrolls long lines. */}
      <section className="policies-patch-lines" tabIndex={0} aria-label={`Difference of ${name}`}>
        <table>
          <tbody>
            {patchLines(patch).map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: the lines of a patch never change.
              <Line key={index} {...line} />
            ))}
          </tbody>
        </table>
      </section>
    </details>
  );
}

const SIGNS: Readonly<Record<PatchLine['kind'], string>> = { add: '+', remove: '−', same: '', hunk: '' };
const WORDS: Readonly<Record<PatchLine['kind'], string | undefined>> = { add: 'added', remove: 'removed', same: undefined, hunk: undefined };

function Line({ kind, text, before, after }: PatchLine) {
  return (
    <tr className={kind}>
      <td className="policies-line-number">{before}</td>
      <td className="policies-line-number">{after}</td>
      <td className="policies-sign" aria-label={WORDS[kind]}>
        {SIGNS[kind]}
      </td>
      <td className="policies-line">{text}</td>
    </tr>
  );
}
