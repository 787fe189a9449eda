import { type FormEvent, useId, useState } from 'react';

import { useI18n } from '../i18n/I18n';
import { usePlatform } from './PlatformProvider';
import type { SessionEnd } from './session';
import styles from './SignIn.module.css';
import { tokenOfPaste } from './token';

const TITLES = { none: 'session.title', expired: 'session.expired', refused: 'session.refused' } as const;
const HINTS = { none: 'session.none', expired: 'session.expiredHint', refused: 'session.refusedHint' } as const;

/** Says why a token is needed, how to get one, and takes it. */
export function SignInForm({ end, tenant, headingId }: { end: SessionEnd; tenant: string | null; headingId: string }) {
  const { t } = useI18n();
  const { session } = usePlatform();
  const [pasted, setPasted] = useState('');
  const [wrong, setWrong] = useState(false);
  const field = useId();

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const token = tokenOfPaste(pasted);
    setWrong(token === null);
    if (token !== null) session.signIn(token);
  };

  return (
    <form className={styles.form} onSubmit={submit}>
      <h1 id={headingId} className={styles.title}>
        {t(TITLES[end])}
      </h1>
      {/* Before a page was there, nothing was written in it. */}
      <p>{t(end === 'expired' && tenant === null ? 'session.expiredLinkHint' : HINTS[end])}</p>
      <label className={styles.label} htmlFor={field}>
        {t('session.field')}
      </label>
      <textarea
        id={field}
        className={styles.field}
        rows={4}
        value={pasted}
        onChange={(event) => setPasted(event.target.value)}
        autoComplete="off"
        spellCheck={false}
        aria-invalid={wrong}
        aria-describedby={wrong ? `${field}-wrong` : undefined}
      />
      {wrong && (
        <p id={`${field}-wrong`} className={styles.wrong} role="alert">
          {t('session.notAToken')}
        </p>
      )}
      <button type="submit" className="button primary" disabled={pasted.trim() === ''}>
        {t('session.submit')}
      </button>
      <p className={styles.how}>
        {t('session.how')}
        <code>{t('session.command', { tenant: tenant ?? 'neem' })}</code>
      </p>
    </form>
  );
}
