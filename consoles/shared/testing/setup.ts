import { cleanup, configure } from '@testing-library/react';
import { afterEach, beforeAll } from 'vitest';

// A deadline for what is waited for, long enough for a machine that is busy with other things.
configure({ asyncUtilTimeout: 10_000 });

function showModal(this: HTMLDialogElement) {
  this.open = true;
}

beforeAll(() => {
  // jsdom lays nothing out, so it has nothing to scroll and no top layer.
  Element.prototype.scrollIntoView = () => undefined;
  HTMLDialogElement.prototype.showModal ??= showModal;
});

afterEach(() => {
  cleanup();
  localStorage.clear();
  sessionStorage.clear();
});
