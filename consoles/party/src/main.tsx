import { mountConsole } from '../../shared/app/mount';
import { PartyPage } from './PartyPage';

mountConsole('party', PartyPage);
