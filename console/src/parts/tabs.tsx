import { Link } from '@tanstack/react-router';

interface TabsProps {
  readonly label: string;
  /** The name of the value in the address. The first tab is shown without one. */
  readonly name: string;
  readonly shown: string;
  readonly tabs: readonly { readonly value: string; readonly title: string }[];
}

/** Parts of a view. Each one is an address, so these are links. */
export function Tabs({ label, name, shown, tabs }: TabsProps) {
  return (
    <nav className="tabs" aria-label={label}>
      {tabs.map(({ value, title }, index) => (
        <Link
          key={value}
          to="."
          search={index === 0 ? {} : { [name]: value }}
          aria-current={value === shown ? 'page' : undefined}
          activeOptions={{ exact: true }}
        >
          {title}
        </Link>
      ))}
    </nav>
  );
}
