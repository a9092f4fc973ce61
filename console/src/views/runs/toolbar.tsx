// What a person can do with the picture: its form, its search, its zoom.
import type { ReactNode, RefObject } from 'react';
import type { useChangeUrl } from '../../app/url-state.ts';
import type { Command } from './keys.ts';
import type { Look } from './look.ts';
import styles from './run.module.css';

interface ToolbarProps {
  readonly look: Look;
  readonly change: ReturnType<typeof useChangeUrl>;
  readonly run: Readonly<Record<Command, () => void>>;
  readonly find: RefObject<HTMLInputElement | null>;
  readonly shown: number;
  readonly all: number;
  readonly complete: boolean;
}

export function Toolbar({ look, change, run, find, shown, all, complete }: ToolbarProps) {
  const { form, text, collapse, shape } = look;
  return (
    <div className={styles['toolbar']} role="toolbar" aria-label="Timeline">
      <div className={styles['group']}>
        <Choice pressed={form === 'lanes'} onPress={() => change({ form: '' })}>
          Timeline
        </Choice>
        <Choice pressed={form === 'table'} onPress={() => change({ form: 'table' })} title="t">
          Table
        </Choice>
      </div>
      <input
        ref={find}
        type="search"
        className={`input ${styles['search']}`}
        placeholder="Find in this run"
        aria-label="Find in this run"
        value={text}
        onChange={(event) => change({ q: event.target.value }, { replace: true })}
      />
      <span className={styles['counted']} role="status">
        {shown === all ? `${all.toLocaleString('en')} ${all === 1 ? 'row' : 'rows'}` : `${shown.toLocaleString('en')} of ${all.toLocaleString('en')} rows`}
        {!complete && ', more are coming'}
      </span>
      {form === 'lanes' && (
        <>
          <Choice
            pressed={shape.routine}
            onPress={() => change({ routine: shape.routine ? '' : 'shown' }, { replace: true })}
            title="Reads and reports that succeeded"
          >
            Show routine requests
          </Choice>
          <Choice pressed={collapse} onPress={() => change({ idle: collapse ? 'shown' : '' }, { replace: true })}>
            Collapse idle time
          </Choice>
          <div className={styles['group']}>
            <ZoomButton name="Zoom out" sign="−" keys="-" onPress={run.out} />
            <ZoomButton name="Fit" sign="Fit" keys="0" onPress={run.fit} disabled={look.shown === null} />
            <ZoomButton name="Zoom in" sign="+" keys="+" onPress={run.in} />
          </div>
        </>
      )}
    </div>
  );
}

interface ChoiceProps {
  readonly pressed: boolean;
  readonly onPress: () => void;
  readonly title?: string;
  readonly children: ReactNode;
}

function Choice({ pressed, onPress, title, children }: ChoiceProps) {
  return (
    <button type="button" className="button" aria-pressed={pressed} onClick={onPress} title={title}>
      {children}
    </button>
  );
}

interface ZoomButtonProps {
  readonly name: string;
  readonly sign: string;
  readonly keys: string;
  readonly onPress: () => void;
  readonly disabled?: boolean;
}

function ZoomButton({ name, sign, keys, onPress, disabled = false }: ZoomButtonProps) {
  return (
    <button type="button" className="button" aria-label={name} title={`${name} (${keys})`} onClick={onPress} disabled={disabled}>
      {sign}
    </button>
  );
}
