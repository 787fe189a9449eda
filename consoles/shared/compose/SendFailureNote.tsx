import { explainViolations } from '../graphql/explain';
import { useI18n } from '../i18n/I18n';
import { ErrorNote } from '../ui/ErrorNote';
import styles from './Compose.module.css';
import type { SendFailure } from './send';

/** Why a message was not sent, or why that is not known. */
export function SendFailureNote({ failure }: { failure: SendFailure }) {
  const { t } = useI18n();
  if (failure.kind === 'failed') return <ErrorNote failure={failure.failure} sending />;
  const details = failure.kind === 'invalidAudience' ? explainViolations(failure.violations, t) : [];
  return (
    <div className={styles.problems} role="alert">
      <p>{t(failure.kind === 'notFound' ? 'error.notFound' : 'error.audience')}</p>
      <ul>
        {details.map((detail) => (
          <li key={detail}>{detail}</li>
        ))}
      </ul>
      <p>{t(failure.kind === 'notFound' ? 'error.notFoundHint' : 'error.audienceHint')}</p>
    </div>
  );
}
