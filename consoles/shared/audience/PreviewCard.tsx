import { nameOf, useOrganisation } from '../app/organisation';
import { failureOf } from '../graphql/errors';
import { useI18n } from '../i18n/I18n';
import { dynamicKey } from '../i18n/translate';
import { Bars } from '../ui/Bars';
import { ErrorNote } from '../ui/ErrorNote';
import { Figure } from '../ui/Figure';
import { Skeleton } from '../ui/Skeleton';
import type { Preview } from './audience';
import styles from './Audience.module.css';
import type { PreviewAnswer } from './usePreview';

const UNITS_SHOWN = 5;

/** What is left out, in words, one line for each reason. */
export function Exclusions({ exclusions }: { exclusions: Preview['exclusions'] }) {
  const { t } = useI18n();
  const real = exclusions.filter(({ groupCount }) => groupCount > 0);
  if (real.length === 0) return null;
  return (
    <div>
      <h4 className={styles.label}>{t('preview.leftOut')}</h4>
      <ul className={styles.exclusions}>
        {real.map(({ reason, groupCount }) => {
          const key = dynamicKey('exclusion.', reason);
          return (
            <li key={reason}>
              {key === null || key === 'exclusion.other'
                ? t('exclusion.other', { groups: t('count.groups', { count: groupCount }), reason })
                : t(key, { count: groupCount })}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Split({ preview, level }: { preview: Preview; level: string }) {
  const { t, name, number } = useI18n();
  const { blueprint } = useOrganisation();
  if (preview.byUnit.length < 2) return null;
  const title = t('preview.split', { level: name(nameOf(blueprint.levels, level)) });
  const bars = preview.byUnit.slice(0, UNITS_SHOWN).map(({ unit, groupCount }, index) => ({
    key: unit?.id ?? String(index),
    label: unit ? name(unit.name) : '–',
    value: groupCount,
    figure: number(groupCount),
  }));
  const rest = preview.byUnit.length - bars.length;
  return (
    <div>
      <h4 className={styles.label}>{title}</h4>
      <Bars bars={bars} label={title} />
      {rest > 0 && <p className={styles.fine}>{t('audience.more', { count: rest })}</p>}
    </div>
  );
}

/** What the choice reaches at this moment: groups, people, what is left out, and where. */
export function PreviewCard({ answer }: { answer: PreviewAnswer }) {
  const { t } = useI18n();
  const { preview, error, stale, splitLevel, again } = answer;
  if (error !== undefined && preview === null) return <ErrorNote failure={failureOf(error)} onRetry={again} />;
  if (preview === null) return <Skeleton rows={3} label={t('app.loading')} />;
  return (
    <div className={styles.preview} aria-busy={stale}>
      <h3 className={styles.label}>{t('preview.title')}</h3>
      <dl className={styles.figures} aria-live="polite">
        <Figure label={t('figure.groups')} value={preview.groupCount} warn={preview.groupCount === 0} />
        <Figure label={t('figure.people')} value={preview.memberCount} />
      </dl>
      {preview.groupCount === 0 ? (
        <p className={styles.nothing}>
          {t('preview.nothing')} {t('preview.nothingHint')}
        </p>
      ) : (
        <p className={styles.fine}>{t('preview.upper')}</p>
      )}
      <Exclusions exclusions={preview.exclusions} />
      {splitLevel !== null && <Split preview={preview} level={splitLevel} />}
    </div>
  );
}
