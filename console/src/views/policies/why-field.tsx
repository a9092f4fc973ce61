import { TextField } from '../../parts/fields.tsx';

const LONGEST = 200;

interface WhyFieldProps {
  readonly why: string;
  readonly setWhy: (why: string) => void;
}

export function WhyField({ why, setWhy }: WhyFieldProps) {
  return (
    <TextField
      label="Reason, shown in the history and in the record"
      value={why}
      placeholder="team-b may not override"
      onChange={(text) => setWhy(text.slice(0, LONGEST))}
    />
  );
}
