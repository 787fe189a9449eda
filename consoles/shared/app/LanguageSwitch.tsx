import { useI18n } from '../i18n/I18n';
import { LANGUAGE_NAMES, LANGUAGES } from '../i18n/translate';

export function LanguageSwitch() {
  const { t, language, setLanguage } = useI18n();
  return (
    <div className="segments" role="group" aria-label={t('app.language')}>
      {LANGUAGES.map((each) => (
        <button key={each} type="button" lang={each} aria-pressed={each === language} onClick={() => setLanguage(each)}>
          {LANGUAGE_NAMES[each]}
        </button>
      ))}
    </div>
  );
}
