import type { ReactNode } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';

interface Shown {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  /** False for what must not be lost by a click beside it, such as a secret that is shown once. */
  readonly dismissable?: boolean;
  readonly children: ReactNode;
}

/** Shown while it is rendered. The focus stays inside, and goes back when it closes. Its buttons: in `DialogButtons`. */
export function Dialog({ title, onClose, wide = false, dismissable = true, children }: Shown) {
  return (
    <ModalOverlay isOpen isDismissable={dismissable} className="overlay" onOpenChange={(isOpen) => isOpen || onClose()}>
      <Modal className={wide ? 'modal wide' : 'modal'}>
        <AriaDialog className="dialog">
          <Heading slot="title">{title}</Heading>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

export function DialogButtons({ children }: { readonly children: ReactNode }) {
  return <div className="dialog-buttons">{children}</div>;
}
