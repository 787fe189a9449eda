import { useI18n } from '../i18n/I18n';
import { ShieldIcon } from '../ui/Icon';
import styles from './Frame.module.css';

export function Footer() {
  const { t } = useI18n();
  return (
    <footer className={styles.footer}>
      <ShieldIcon />
      <p>{t('app.privacy')}</p>
    </footer>
  );
}
