import { useI18n } from '../i18n/I18n';
import { localized } from '../i18n/localized';
import { usePlatform, usePlatformState } from '../session/PlatformProvider';
import { Mark } from '../ui/Icon';
import type { ConsoleName } from './ConsoleApp';
import styles from './Frame.module.css';
import { LanguageSwitch } from './LanguageSwitch';
import type { Organisation } from './organisation';

const CONSOLES: readonly ConsoleName[] = ['party', 'category'];

function ConsoleLinks({ current }: { current: ConsoleName }) {
  const { t } = useI18n();
  return (
    <nav className={styles.consoles} aria-label={t('app.consoles')}>
      {CONSOLES.map((name) => (
        <a key={name} href={`/${name}/`} aria-current={name === current ? 'page' : undefined}>
          {t(`app.${name}`)}
        </a>
      ))}
    </nav>
  );
}

function Account({ subject }: { subject: string }) {
  const { t } = useI18n();
  const { session } = usePlatform();
  const { socket } = usePlatformState();
  return (
    <div className={styles.account}>
      <span className={styles.subject} title={t('app.signedIn', { subject })}>
        <span className={styles.dot} data-socket={socket} aria-hidden="true" />
        {subject}
      </span>
      <button type="button" className="button quiet" onClick={session.signOut}>
        {t('app.signOut')}
      </button>
    </div>
  );
}

/** Whose room this is, which console, in which language, and who looks. */
export function Header({ console: current, organisation }: { console: ConsoleName; organisation: Organisation | null }) {
  const { t, language, name } = useI18n();
  const own = organisation === null ? t('app.name') : name(organisation.blueprint.name);
  const other = organisation === null ? null : localized(organisation.blueprint.name, language === 'hi' ? 'en' : 'hi');
  return (
    <header className={styles.header}>
      <div className={styles.brand}>
        <Mark />
        <p className={styles.names}>
          <strong className={styles.own}>{own}</strong>
          {other !== null && other !== own && (
            <span className={styles.other} lang={language === 'hi' ? 'en' : 'hi'}>
              {other}
            </span>
          )}
        </p>
      </div>
      {organisation !== null && <ConsoleLinks current={current} />}
      <LanguageSwitch />
      {organisation !== null && <Account subject={organisation.viewer.subject} />}
    </header>
  );
}
