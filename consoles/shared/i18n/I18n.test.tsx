import { render, screen } from '@testing-library/react';
import { describe, expect, it } from 'vitest';

import { I18nProvider, useI18n } from './I18n';
import type { Language } from './translate';

function When({ at }: { at: Date }) {
  return <time>{useI18n().when(at.toISOString())}</time>;
}

describe('a moment', () => {
  it.each<[Language, RegExp]>([
    ['en', /^23 Nov, 9:02\spm$/u],
    ['hi', /^23 नव॰, रात 9:02$/u],
  ])('is told in %s as that language tells it', (language, expected) => {
    render(
      <I18nProvider initial={language}>
        <When at={new Date(2026, 10, 23, 21, 2)} />
      </I18nProvider>,
    );
    expect(screen.getByRole('time').textContent).toMatch(expected);
  });
});
