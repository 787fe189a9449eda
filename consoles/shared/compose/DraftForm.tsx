import { type FormEvent, useId } from 'react';

import type { AudienceChoice } from '../audience/audience';
import { useI18n } from '../i18n/I18n';
import { LANGUAGE_NAMES, LANGUAGES, type Language, type Translate } from '../i18n/translate';
import styles from './Compose.module.css';
import { type Draft, type DraftProblem, lengthOf, problemsOf, TEXT_MAX, TITLE_MAX } from './draft';
import type { ComposeControl } from './useCompose';

function problemText(problem: DraftProblem, t: Translate): string {
  switch (problem.kind) {
    case 'longTitle':
      return t('compose.longTitle', { max: TITLE_MAX });
    case 'longText':
      return t('compose.longText', { language: LANGUAGE_NAMES[problem.language], max: TEXT_MAX });
    default:
      return t(`compose.${problem.kind}`);
  }
}

function Problems({ problems }: { problems: readonly DraftProblem[] }) {
  const { t } = useI18n();
  if (problems.length === 0) return null;
  const texts = problems.map((problem) => problemText(problem, t));
  return (
    <div className={styles.problems} role="alert">
      <p>{t('compose.problems')}</p>
      <ul>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
    </div>
  );
}

interface TextFieldProps {
  readonly language: Language;
  readonly text: string;
  readonly onChange: (text: string) => void;
}

function TextField({ language, text, onChange }: TextFieldProps) {
  const { t } = useI18n();
  const id = useId();
  const left = TEXT_MAX - lengthOf(text.trim());
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{t('compose.text', { language: LANGUAGE_NAMES[language] })}</label>
      <textarea
        id={id}
        lang={language}
        rows={4}
        value={text}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={left < 0}
        aria-describedby={`${id}-left`}
      />
      <p id={`${id}-left`} className={styles.left} data-over={left < 0} hidden={left > TEXT_MAX / 4}>
        {t('compose.left', { count: left })}
      </p>
    </div>
  );
}

interface Props {
  readonly control: ComposeControl;
  readonly choice: AudienceChoice | null;
  readonly groupCount: number | null;
}

/** The fields of a message. What is missing is said when a review is asked for, not before. */
export function DraftForm({ control, choice, groupCount }: Props) {
  const { t } = useI18n();
  const title = useId();
  if (control.state.step !== 'write') return null;
  const { draft, problemsShown } = control.state;
  const change = (part: Partial<Draft>) => control.edit({ ...draft, ...part });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    control.review(choice, groupCount);
  };
  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      <div className={styles.field}>
        <label htmlFor={title}>{t('compose.name')}</label>
        <input
          id={title}
          type="text"
          value={draft.title}
          onChange={(event) => change({ title: event.target.value })}
          aria-describedby={`${title}-hint`}
          autoComplete="off"
        />
        <p id={`${title}-hint`} className={styles.hint}>
          {t('compose.nameHint')}
        </p>
      </div>
      {LANGUAGES.map((language) => (
        <TextField
          key={language}
          language={language}
          text={draft.texts[language]}
          onChange={(text) => change({ texts: { ...draft.texts, [language]: text } })}
        />
      ))}
      {problemsShown && <Problems problems={problemsOf(draft, choice, groupCount)} />}
      <button type="submit" className="button primary">
        {t('compose.review')}
      </button>
    </form>
  );
}
