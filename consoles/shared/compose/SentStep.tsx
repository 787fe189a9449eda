import { useI18n } from '../i18n/I18n';
import styles from './Compose.module.css';

export function SentStep({ title, onAnother }: { title: string; onAnother: () => void }) {
  const { t } = useI18n();
  return (
    <div className={styles.sent} role="status">
      <h3>{t('sent.title')}</h3>
      <p>{t('sent.text', { title })}</p>
      <button type="button" className="button" onClick={onAnother}>
        {t('sent.another')}
      </button>
    </div>
  );
}
