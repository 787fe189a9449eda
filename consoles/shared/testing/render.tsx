import { render } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import type { ReactNode } from 'react';
import { Provider } from 'urql';

import { type Organisation, OrganisationContext } from '../app/organisation';
import { I18nProvider } from '../i18n/I18n';
import type { Language } from '../i18n/translate';
import type { WireGateway } from './gateway';
import { anOrganisation } from './organisation';

interface Options {
  readonly gateway: WireGateway;
  readonly organisation?: Organisation;
  readonly language?: Language;
}

/** Draws a part of a console as the shell would, and gives a user to work on it. */
export function draw(part: ReactNode, { gateway, organisation = anOrganisation(), language = 'en' }: Options) {
  const user = userEvent.setup();
  const view = render(
    <I18nProvider initial={language}>
      <Provider value={gateway.client()}>
        <OrganisationContext value={organisation}>{part}</OrganisationContext>
      </Provider>
    </I18nProvider>,
  );
  return { user, ...view };
}
