import { consoleConfig } from '../vite.shared.ts';

export default consoleConfig('party');
