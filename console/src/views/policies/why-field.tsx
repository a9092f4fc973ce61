const LONGEST = 200;

interface WhyFieldProps {
  readonly why: string;
  readonly setWhy: (why: string) => void;
}

export function WhyField({ why, setWhy }: WhyFieldProps) {
  return (
    <label className="field">
      <span>Reason, shown in the history and in the record</span>
      <input value={why} onChange={({ target }) => setWhy(target.value)} maxLength={LONGEST} autoComplete="off" placeholder="team-b may not override" />
    </label>
  );
}
