import { useEffect, useId, useRef } from 'react';

import { SignInForm } from './SignInForm';
import type { SessionEnd } from './session';
import styles from './SignIn.module.css';

/** Asks for a new token over the page, which stays as it is, with what was written in it. */
export function SignInDialog({ end, tenant }: { end: SessionEnd; tenant: string | null }) {
  const heading = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = dialog.current;
    if (element !== null && !element.open) element.showModal();
  }, []);
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby={heading}
      // Without a token there is nothing to go back to.
      onCancel={(event) => event.preventDefault()}
    >
      <SignInForm end={end} tenant={tenant} headingId={heading} />
    </dialog>
  );
}
