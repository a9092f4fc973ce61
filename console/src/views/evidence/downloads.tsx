import { Button } from '../../parts/button.tsx';
import { saveText } from '../../parts/save-text.ts';
import type { Report } from './steps.ts';

const ABOUT: Readonly<Record<string, string>> = {
  'report.html': 'the report, to open and print',
  'report.md': 'the report as Markdown',
  'access-review.csv': 'a row for each right, with an empty decision',
  'data.json': 'all data',
  'head.json': 'the head of the ledger: its signature of the newest record',
  SHA256SUMS: 'checksums of the files',
};

/** The files of `lictor evidence`. They are made from the answer: nothing is asked for again. */
export function Downloads({ report: { files } }: { readonly report: Report }) {
  return (
    <section className="card" aria-label="Files">
      <div className="row between">
        <h2>Files</h2>
        <Button onPress={() => print()}>Print the report</Button>
      </div>
      <ul className="files">
        {files.map(({ name, text }) => (
          <li key={name}>
            <Button small onPress={() => saveText(name, text)}>
              {name}
            </Button>
            <span className="muted">
              {ABOUT[name]}
              {name === 'head.json' && <HeadUse />}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function HeadUse() {
  return (
    <>
      . It has the number and hash of the newest record. Store it on another machine, where nobody can change it. To find out later whether these records are
      still there and unchanged, copy it to the gateway's machine and run <code>lictor audit verify --head head.json</code>
    </>
  );
}
