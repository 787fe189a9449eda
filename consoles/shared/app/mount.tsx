import { type ComponentType, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { I18nProvider } from '../i18n/I18n';
import { openPlatform } from '../session/platform';
import { PlatformProvider } from '../session/PlatformProvider';
import { openSession } from '../session/session';
import '../styles/tokens.css';
import '../styles/base.css';
import '../styles/controls.css';
import { ConsoleApp, type ConsoleName } from './ConsoleApp';

/** Starts a console in the document's one root element. */
export function mountConsole(name: ConsoleName, page: ComponentType) {
  const root = document.querySelector('#root');
  if (root === null) throw new Error('the document has no #root');
  const platform = openPlatform(openSession(), { url: '/graphql' });
  createRoot(root).render(
    <StrictMode>
      <I18nProvider>
        <PlatformProvider platform={platform}>
          <ConsoleApp console={name} page={page} />
        </PlatformProvider>
      </I18nProvider>
    </StrictMode>,
  );
}
