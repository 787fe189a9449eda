import { type ComponentType, useId } from 'react';
import { Provider as ClientProvider } from 'urql';

import { useI18n } from '../i18n/I18n';
import { usePlatformState } from '../session/PlatformProvider';
import { SignInDialog } from '../session/SignInDialog';
import { SignInForm } from '../session/SignInForm';
import styles from '../session/SignIn.module.css';
import { Footer } from './Footer';
import { Header } from './Header';
import { Shell } from './Shell';

export type ConsoleName = 'party' | 'category';

function SignInPage({ console: name }: { console: ConsoleName }) {
  const { session } = usePlatformState();
  const heading = useId();
  return (
    <>
      <Header console={name} organisation={null} />
      <main id="content" className={styles.page}>
        <SignInForm end={session.end ?? 'none'} tenant={null} headingId={heading} />
      </main>
      <Footer />
    </>
  );
}

/** One console: signing in, the frame, and the page once the organisation is known. */
export function ConsoleApp({ console: name, page }: { console: ConsoleName; page: ComponentType }) {
  const { t } = useI18n();
  const { client, session } = usePlatformState();
  const signedOut = session.end === 'none' || client === null;
  return (
    <>
      <title>{`${t(`app.${name}`)} · ${t('app.name')}`}</title>
      <a className="skip" href="#content">
        {t('app.skip')}
      </a>
      {signedOut ? (
        <SignInPage console={name} />
      ) : (
        <ClientProvider value={client}>
          <Shell console={name} page={page}>
            {(tenant) => session.end !== null && <SignInDialog end={session.end} tenant={tenant} />}
          </Shell>
        </ClientProvider>
      )}
    </>
  );
}
