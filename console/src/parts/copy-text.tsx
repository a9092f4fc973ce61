import { useState } from 'react';
import { Button } from './button.tsx';

/** A command or a secret, with a button that copies it. */
export function CopyText({ text, what = 'Copy' }: { readonly text: string; readonly what?: string }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <div className="copy">
      <code>{text}</code>
      <Button small kind="quiet" onPress={() => copy().catch(() => setCopied(false))}>
        {copied ? 'Copied' : what}
      </Button>
    </div>
  );
}
